//! Memory does not grow with the file. A process of its own: its peak is measured.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_event::{Site, Sites};
use clickstream_intake_files::{FileOutcome, IntakeFiles, Limits};
use clickstream_objects::{ByteStream, Notification, ObjectError, ObjectInfo, Objects, PutOptions};
use clickstream_testkit::memory_log::MemoryLog;
use futures::{StreamExt as _, stream};

/// Pieces of the file, a mebibyte each.
const PIECES: usize = 160;
/// What the process may grow by while it takes the file, bytes.
const GROWTH: u64 = 64 << 20;

/// A bucket with one endless-looking file; it takes any receipt.
struct OneFile(Bytes);

fn none() -> ObjectError {
    ObjectError::NotFound("none".to_owned())
}

#[async_trait]
impl Objects for OneFile {
    async fn put(&self, _: &str, _: Bytes, _: PutOptions) -> Result<String, ObjectError> {
        Ok("etag".to_owned())
    }
    async fn put_file(&self, _: &str, _: &Path, _: PutOptions) -> Result<String, ObjectError> {
        Ok("etag".to_owned())
    }
    async fn get(&self, _: &str) -> Result<(ObjectInfo, Bytes), ObjectError> {
        Err(none())
    }
    async fn get_stream(&self, key: &str) -> Result<(ObjectInfo, ByteStream), ObjectError> {
        let size = (self.0.len() * PIECES) as u64;
        let info = ObjectInfo { key: key.to_owned(), size, etag: "e".to_owned(), modified_at: 0, metadata: [].into() };
        let piece = self.0.clone();
        Ok((info, stream::iter(0..PIECES).map(move |_| Ok(piece.clone())).boxed()))
    }
    async fn get_range(&self, _: &str, _: u64, _: u64) -> Result<Bytes, ObjectError> {
        Err(none())
    }
    async fn head(&self, _: &str) -> Result<ObjectInfo, ObjectError> {
        Err(none())
    }
    async fn list(&self, _: &str, _: Option<&str>, _: usize) -> Result<Vec<ObjectInfo>, ObjectError> {
        Ok(Vec::new())
    }
    async fn delete(&self, _: &str) -> Result<(), ObjectError> {
        Ok(())
    }
}

/// Most memory that this process has had so far, bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() << 10
}

/// About a mebibyte of whole lines: events, some of them as large as may be, and what is too large or no event.
fn piece() -> Bytes {
    let event = |id: u32, filling: usize| {
        format!(
            r#"{{"event_id":"{id}","action":"click","element_id":"buy","user_id":"u","occurred_at":"2026-11-24T10:00:00Z","note":"{}"}}"#,
            "x".repeat(filling)
        )
    };
    let small: Vec<String> = (0..600).map(|id| event(id, 600)).collect();
    let large: Vec<String> = (600..616).map(|id| event(id, 30_000)).collect();
    let wrong = vec!["y".repeat(100_000), "{\"action\":".to_owned()];
    Bytes::from([small, large, wrong].concat().join("\n") + "\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_any_size_takes_the_same_memory() {
    let log = Arc::new(MemoryLog::default());
    log.forgets.store(true, Ordering::SeqCst);
    let piece = piece();
    let size = piece.len() * PIECES;
    assert!(size > 150 << 20, "{size}");
    let intake = IntakeFiles::new(log.clone(), Arc::new(OneFile(piece)), Sites::new(vec![Site::new("shop", "k")]), Limits::default());
    let announced = Notification { bucket: "b".into(), key: "inbox/shop/a.ndjson".into(), etag: "e".into(), size: size as u64 };
    let before = peak();
    let FileOutcome::Taken(receipt) = intake.handle(&announced).await.unwrap() else { panic!("not taken") };
    assert_eq!((receipt.rejected, receipt.lines), (2 * PIECES as u64, 618 * PIECES as u64));
    assert_eq!(log.count.load(Ordering::SeqCst), receipt.lines);
    let grown = peak() - before;
    assert!(grown < GROWTH, "{} MiB for {} MiB", grown >> 20, size >> 20);
}
