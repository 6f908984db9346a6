//! What sets functions off: what a bucket announces, in every form in which Lambda hands it over, and the names of objects.
#![no_main]

#[path = "../../shared/triggers/src/announced.rs"]
mod announced;
#[path = "../../functions/intake-files/src/format.rs"]
#[allow(dead_code)]
mod format;
#[path = "../../functions/intake-files/src/place.rs"]
#[allow(dead_code)]
mod place;
#[path = "../../functions/compact/src/plan.rs"]
#[allow(dead_code)]
mod plan;
#[path = "../../shared/columns/src/raw_key.rs"]
mod raw_key;

extern crate self as clickstream_columns;
extern crate self as clickstream_objects;

use libfuzzer_sys::fuzz_target;
use plan::RawObject;
pub use raw_key::{raw_key, raw_offsets};

/// An object that was written.
#[allow(missing_docs)]
#[derive(Debug)]
pub struct Notification {
    pub bucket: String,
    pub key: String,
    pub etag: String,
    pub size: u64,
}

fuzz_target!(|data: &[u8]| {
    if let Ok(objects) = announced::notifications(data) {
        objects.iter().for_each(|object| announces(object, data));
    }
    if let Ok(event) = serde_json::from_slice(data) {
        for message in announced::announced(&event).unwrap_or_default() {
            assert!(message.message.is_none_or(|name| name.len() <= data.len()));
            match message.objects {
                Ok(objects) => objects.iter().for_each(|object| announces(object, data)),
                Err(error) => assert!(error.to_string().chars().count() < 400, "an error shows a part of what is wrong"),
            }
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        text.lines().for_each(named);
        planned(text);
    }
});

/// One object that was announced.
fn announces(object: &Notification, data: &[u8]) {
    assert!(!object.etag.starts_with('"'), "ETags lose their quotes");
    assert!(object.bucket.len() <= data.len());
    let _ = object.size;
    named(&object.key);
}

/// One name, as every function that gets it reads it.
fn named(key: &str) {
    if let Some((site, name)) = place::in_inbox(key) {
        assert_eq!(key, format!("inbox/{site}/{name}"));
        assert!(!site.contains('/'));
        assert!(place::receipt_key(site, name, "e").starts_with("receipts/"));
        assert!(place::quarantine_key(site, name, "e").starts_with("quarantine/"));
        let _ = format::Format::of(name).map(format::Format::name);
    }
    if let Some(object) = RawObject::of(key) {
        assert!(object.first <= object.last);
        let again = RawObject::of(&raw_key("l", 0, object.first, object.last)).expect("a raw key is read back");
        assert_eq!((again.first, again.last), (object.first, object.last));
    }
}

/// A listing: what is compacted next never passes a gap.
fn planned(text: &str) {
    let objects: Vec<RawObject> = text.lines().filter_map(RawObject::of).collect();
    let start = objects.iter().map(|o| o.first).min().unwrap_or(0);
    let run = plan::unbroken(objects.clone(), start, 1_000);
    assert!(run.next >= start);
    if let Some(gap) = run.gap_at {
        assert!(!objects.iter().any(|o| o.first <= gap && gap <= o.last) || run.next <= gap, "a gap is where no object is");
    }
}
