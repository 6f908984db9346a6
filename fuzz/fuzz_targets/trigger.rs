//! What sets functions off: a bucket's notifications as Lambda hands them over, and the names of objects.
#![no_main]

#[path = "../../functions/intake-files/src/format.rs"]
#[allow(dead_code)]
mod format;
#[path = "../../functions/land/src/key.rs"]
mod key;
#[path = "../../functions/intake-files/src/place.rs"]
#[allow(dead_code)]
mod place;
#[path = "../../functions/compact/src/plan.rs"]
#[allow(dead_code)]
mod plan;
#[path = "../../shared/triggers/src/s3.rs"]
mod s3;

extern crate self as clickstream_objects;

use aws_lambda_events::s3::S3Event;
use libfuzzer_sys::fuzz_target;
use plan::RawObject;

/// An object that was written.
#[allow(missing_docs)]
pub struct Notification {
    pub bucket: String,
    pub key: String,
    pub etag: String,
    pub size: u64,
}

fuzz_target!(|data: &[u8]| {
    if let Ok(event) = serde_json::from_slice::<S3Event>(data) {
        for notification in s3::notifications(event) {
            assert!(!notification.etag.starts_with('"'), "ETags lose their quotes");
            assert!(notification.bucket.len() <= data.len() && notification.size <= i64::MAX as u64);
            named(&notification.key);
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        text.lines().for_each(named);
        planned(text);
    }
});

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
        let again = RawObject::of(&key::raw_key("l", 0, object.first, object.last)).expect("a raw key is read back");
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
