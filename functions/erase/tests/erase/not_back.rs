//! Nothing brings an erased person back.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_compact::CompactRequest;
use clickstream_erasure::Tombstones;
use clickstream_event::{Event, Micros};
use clickstream_log::{EVENTS, event_record};
use clickstream_objects::{ByteStream, ObjectError, ObjectInfo, Objects, PutOptions};
use clickstream_spill::{Parcel, encode};
use tokio::sync::Mutex;

use crate::{
    erasing::ANN,
    service::{Service, by, user},
};

#[tokio::test(flavor = "multi_thread")]
async fn neither_resends_nor_late_events_nor_replays_bring_a_person_back() {
    let service = Service::start().await;
    let first = by(1, Some(ANN), Some("a-1"), 0);
    service.log_events(&[first.clone(), by(2, Some("bob"), None, 0)]).await;
    service.work().await;
    service.compact().await;
    service.erased(&user(ANN)).await;

    let now = Micros::now().plus(1_000);
    let resent = Event { received_at: now, ..first };
    let late = Event { received_at: now, ..by(3, Some(ANN), None, 3) };
    let of_the_device = Event { received_at: now, ..by(4, None, Some("a-1"), 3) };
    service.log_events(&[resent, late, of_the_device]).await;
    // What was spilled while the log was away.
    let records = vec![event_record(&by(5, Some(ANN), None, 5)).unwrap(), event_record(&by(6, Some("bob"), None, 5)).unwrap()];
    let spilled = encode(&[Parcel { topic: EVENTS, records }]).unwrap();
    service.objects.put("spill/0190a6e0-7b2c-7d11-8a3e-5f6c2b1d4e90.ndjson.zst", spilled.into(), PutOptions::default()).await.unwrap();
    service.unspill().await;
    // The whole log once more, from its beginning, and every raw object.
    for _ in 0..2 {
        service.work().await;
        service.compact().await;
    }
    for id in [ANN, "a-1"] {
        assert_eq!(service.places(id).await, [0; 5], "{id}");
    }
    assert_eq!(service.places("bob").await[..4], [2, 2 + 1, 2, 2], "a batch that is cut differently overlaps in raw/");
    assert_eq!(service.files_with(ANN), Vec::<String>::new());
}

/// The bucket of a process that is asked about tombstones, and answers from before an erasure that begins meanwhile.
struct Overtaken {
    service: Arc<Service>,
    erasure: Mutex<Option<uuid::Uuid>>,
}

impl Overtaken {
    /// Begins the erasure and does its first two steps: afterwards the tombstones stand, and an empty version of the lake.
    async fn bury(&self) {
        let mut erasure = self.erasure.lock().await;
        if erasure.is_none() {
            let erase = self.service.erase().await;
            let begun = erase.begin(&user(ANN)).await.unwrap();
            erase.step("shop", begun.erasure_id).await.unwrap();
            erase.step("shop", begun.erasure_id).await.unwrap();
            *erasure = Some(begun.erasure_id);
        }
    }
}

#[async_trait]
impl Objects for Overtaken {
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<String, ObjectError> {
        self.service.objects.put(key, body, options).await
    }

    async fn put_file(&self, key: &str, path: &std::path::Path, options: PutOptions) -> Result<String, ObjectError> {
        self.service.objects.put_file(key, path, options).await
    }

    async fn get(&self, key: &str) -> Result<(ObjectInfo, Bytes), ObjectError> {
        self.service.objects.get(key).await
    }

    async fn get_stream(&self, key: &str) -> Result<(ObjectInfo, ByteStream), ObjectError> {
        self.service.objects.get_stream(key).await
    }

    async fn get_range(&self, key: &str, start: u64, end: u64) -> Result<Bytes, ObjectError> {
        self.service.objects.get_range(key, start, end).await
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo, ObjectError> {
        let seen = self.service.objects.head(key).await;
        if key == "erasures/newest.json" {
            self.bury().await;
        }
        seen
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>, max: usize) -> Result<Vec<ObjectInfo>, ObjectError> {
        self.service.objects.list(prefix, start_after, max).await
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        self.service.objects.delete(key).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_that_an_erasure_overtakes_starts_again() {
    let service = Arc::new(Service::start().await);
    service.log_events(&[by(1, Some(ANN), None, 0), by(2, Some("bob"), None, 0)]).await;
    service.work().await;
    let overtaken = Arc::new(Overtaken { service: Arc::clone(&service), erasure: Mutex::new(None) });
    let tombstones = Arc::new(Tombstones::new(overtaken.clone(), None));
    let report = service.compaction().await.with_tombstones(tombstones).run(CompactRequest::default()).await.unwrap();
    assert_eq!((report.rows, report.erased), (1, 1), "{report:?}");
    let id = overtaken.erasure.lock().await.unwrap();
    service.erase().await.run("shop", id).await.unwrap();
    assert_eq!(service.places(ANN).await, [0; 5]);
    assert_eq!(service.files_with(ANN), Vec::<String>::new(), "also of the file that no version names");
    assert_eq!(service.places("bob").await[..4], [1; 4]);
}
