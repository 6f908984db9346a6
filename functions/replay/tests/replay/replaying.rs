//! Replays on a real log and a real bucket.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_erasure::{Kind, Person, Tombstone, Tombstones};
use clickstream_event::{Event, Micros, Reason, ReasonCode, Rejection, Shape, Site, Sites, Source};
use clickstream_log::{EVENTS, REJECTED, Record, SharedLog};
use clickstream_objects::{Objects as _, PutOptions, embedded::EmbeddedS3, s3::S3Objects};
use clickstream_replay::{LoadRaw, Replay, ReplayReport, ReplayRequest, ReplaySource};
use clickstream_warehouse::WarehouseError;
use serde_json::json;
use uuid::Uuid;

/// Remembers what was loaded.
#[derive(Clone, Default)]
struct Loaded {
    objects: Arc<Mutex<Vec<Bytes>>>,
    settled_to: u64,
}

#[async_trait]
impl LoadRaw for Loaded {
    async fn settled_to(&self, _: &str, _: u32) -> Result<u64, WarehouseError> {
        Ok(self.settled_to)
    }

    async fn load(&self, parquet: Bytes) -> Result<u64, WarehouseError> {
        self.objects.lock().unwrap().push(parquet);
        Ok(1)
    }

    async fn known(&self, events: &[(String, Uuid)]) -> Result<u64, WarehouseError> {
        Ok(events.iter().filter(|(_, id)| *id == Uuid::from_u128(1)).count() as u64)
    }
}

struct Service {
    log: SharedLog,
    objects: S3Objects,
    loaded: Loaded,
    replay: Replay,
    _s3: EmbeddedS3,
    _folder: tempfile::TempDir,
}

async fn service(settled_to: u64) -> Service {
    let folder = tempfile::tempdir().unwrap();
    let log = clickstream_log::connect(&format!("sqlite:{}", folder.path().join("log").display())).await.unwrap();
    let s3 = EmbeddedS3::start(&folder.path().join("objects"), "clickstream").await.unwrap();
    let objects = S3Objects::connect(s3.config()).await;
    let loaded = Loaded { settled_to, ..Loaded::default() };
    let sites = Sites::new(vec![Site::new("shop", "k"), Site::new("new", "n")]);
    let replay = Replay::new(log.clone(), Arc::new(S3Objects::connect(s3.config()).await), loaded.clone(), sites);
    Service { log, objects, loaded, replay, _s3: s3, _folder: folder }
}

impl Service {
    async fn reject(&self, rejections: &[Rejection]) {
        let record = |r: &Rejection| Record { key: None, value: serde_json::to_vec(r).unwrap().into(), headers: Vec::new() };
        self.log.append(REJECTED, rejections.iter().map(record).collect()).await.unwrap();
    }

    async fn rejected(&self, site: Option<&str>, dry_run: bool) -> ReplayReport {
        let source = ReplaySource::Rejected { from: None, to: None };
        self.replay.run(ReplayRequest { site: site.map(str::to_owned), dry_run, ..ReplayRequest::new(source) }).await.unwrap()
    }

    async fn raw(&self, partition: Option<u32>, from: Option<u64>, to: Option<u64>, dry_run: bool) -> ReplayReport {
        let source = ReplaySource::Raw { partition, from, to };
        self.replay.run(ReplayRequest { dry_run, ..ReplayRequest::new(source) }).await.unwrap()
    }

    async fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for extent in self.log.extents(EVENTS).await.unwrap() {
            let records = self.log.read(EVENTS, extent.partition, 0, 1_000, 1 << 20).await.unwrap();
            events.extend(records.iter().map(|r| serde_json::from_slice::<Event>(&r.record.value).unwrap()));
        }
        events
    }
}

/// A record that an older version rejected and today's rules take.
fn rejection(site: Option<&str>, event_id: Option<Uuid>, original: &serde_json::Value) -> Rejection {
    Rejection {
        site_id: site.map(str::to_owned),
        event_id,
        message_id: None,
        received_at: Micros(1_795_514_400_000_000),
        source: Source::Http,
        shape: Shape::Canonical,
        reasons: vec![Reason::new(ReasonCode::ActionUnknown, "action", "none")],
        original: original.to_string(),
    }
}

#[tokio::test]
async fn what_is_valid_now_is_logged_as_it_arrived_then() {
    let service = service(0).await;
    let good = json!({ "event_id": "1", "action": "custom", "name": "n", "user_id": "u", "occurred_at": "2026-11-24T09:59:00Z" });
    let bad = json!({ "event_id": "2", "action": "hover", "user_id": "u" });
    service.reject(&[rejection(Some("shop"), None, &good), rejection(Some("shop"), None, &bad)]).await;
    service.log.append(REJECTED, vec![Record { value: Bytes::from_static(b"no rejection"), ..Record::default() }]).await.unwrap();

    let dry = service.rejected(None, true).await;
    assert_eq!((dry.read, dry.taken, dry.dry_run), (3, 1, true));
    assert_eq!(dry.still_rejected, BTreeMap::from([("action_unknown".to_owned(), 1), ("undecodable".to_owned(), 1)]));
    assert!(service.events().await.is_empty());

    let report = service.rejected(None, false).await;
    assert_eq!(ReplayReport { dry_run: true, replay_id: None, ..report.clone() }, dry);
    let events = service.events().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].received_at, Micros(1_795_514_400_000_000));
    assert_eq!(events[0].event_id, report.samples[0].event_id);

    service.rejected(None, false).await;
    let events = service.events().await;
    assert_eq!((events.len(), events[0] == events[1]), (2, true), "played twice it is the same event, which counts once");
}

#[tokio::test]
async fn an_event_without_an_id_gets_one_that_stays() {
    let service = service(0).await;
    let told = Uuid::from_u128(7);
    let event = |id: serde_json::Value| json!({ "event_id": id, "action": "custom", "name": "n", "user_id": "u" });
    let long = "x".repeat(600);
    let originals = [event(json!(null)), event(json!({})), event(json!(long)), event(json!("own"))];
    service.reject(&originals.each_ref().map(|original| rejection(Some("shop"), None, original))).await;
    service.reject(&[rejection(Some("shop"), Some(told), &originals[0])]).await;
    let first: Vec<Uuid> = service.rejected(None, true).await.samples.iter().map(|s| s.event_id).collect();
    let second: Vec<Uuid> = service.rejected(None, true).await.samples.iter().map(|s| s.event_id).collect();
    assert_eq!(first, second);
    assert_eq!(first.iter().collect::<std::collections::BTreeSet<_>>().len(), 5);
    assert_eq!(first[4], told, "the sender was told this id");
}

#[tokio::test]
async fn a_site_that_exists_now_takes_what_was_sent_for_it() {
    let service = service(0).await;
    let named = json!({ "site_id": "new", "event_id": "1", "action": "custom", "name": "n", "user_id": "u" });
    service.reject(&[rejection(Some("new"), None, &named), rejection(None, None, &named), rejection(Some("gone"), None, &named)]).await;
    let report = service.rejected(None, false).await;
    assert_eq!((report.taken, report.still_rejected["site_missing"]), (2, 1));
    assert!(service.events().await.iter().all(|e| e.site_id == "new"));
    assert_eq!(service.rejected(Some("shop"), true).await.read, 0);
    let source = ReplaySource::Rejected { from: Some(1), to: Some(2) };
    let part = service.replay.run(ReplayRequest { dry_run: true, ..ReplayRequest::new(source) }).await.unwrap();
    assert_eq!((part.read, part.samples[0].offset), (1, 1));
}

#[tokio::test]
async fn raw_objects_that_are_not_settled_are_loaded_again() {
    let service = service(100).await;
    let log_id = service.log.log_id().await.unwrap();
    let key = |partition: u32, last: u64, first: u64| format!("raw/events/{log_id}/{partition:05}/{last:020}-{first:020}.parquet");
    for (partition, last, first) in [(0, 49, 0), (0, 99, 50), (0, 149, 100), (0, 160, 90), (1, 120, 90), (1, 300, 121)] {
        let body = Bytes::from(format!("{partition}:{first}-{last}"));
        service.objects.put(&key(partition, last, first), body, PutOptions::default()).await.unwrap();
    }
    assert_eq!(service.raw(None, None, None, true).await.taken, 4);
    assert!(service.loaded.objects.lock().unwrap().is_empty());
    let report = service.raw(Some(1), Some(100), Some(121), false).await;
    assert_eq!((report.read, report.taken), (1, 1));
    assert_eq!(*service.loaded.objects.lock().unwrap(), [Bytes::from_static(b"1:90-120")]);
    assert_eq!(service.raw(None, None, None, false).await.taken, 4);
    let source = ReplaySource::Raw { partition: Some(9), from: None, to: None };
    let error = service.replay.run(ReplayRequest { dry_run: true, ..ReplayRequest::new(source) }).await.unwrap_err();
    assert!(error.to_string().contains("no partition 9"), "{error}");
}

#[test]
fn a_request_is_read_strictly() {
    let read = |text: &str| serde_json::from_str::<ReplayRequest>(text);
    assert!(read(r#"{"source":{"kind":"rejected","from":null,"to":null},"site":null,"dry_run":true}"#).is_ok());
    assert!(read(r#"{"source":{"kind":"raw"}}"#).is_ok());
    assert!(read(r#"{"source":{"kind":"raw","partion":1}}"#).unwrap_err().to_string().contains("partion"));
    assert!(read(r#"{"source":{"kind":"lake"}}"#).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_the_log_are_logged_again_as_they_are_and_nobody_who_is_erased() {
    let service = service(0).await;
    let of = |id: u128, site: &str, user: &str, seconds: i64| {
        let mut event = clickstream_testkit::sample::click(id, seconds);
        (event.site_id, event.user_id) = (site.to_owned(), Some(user.to_owned()));
        event
    };
    let events = [of(1, "shop", "bob", 0), of(2, "shop", "ann", 1), of(3, "new", "bob", 2), of(4, "shop", "bob", 9)];
    service.log.append(EVENTS, events.iter().map(|e| clickstream_log::event_record(e).unwrap()).collect()).await.unwrap();
    let tombstones = Tombstones::new(Arc::new(service.objects.clone()), None);
    let ann = Person::User("ann".to_owned());
    let hash = tombstones.key().await.unwrap().hash("shop", &ann);
    tombstones.bury(&[Tombstone { site_id: "shop".to_owned(), kind: Kind::User, hash, erased_at: Micros::now() }]).await.unwrap();
    let request = ReplayRequest {
        site: Some("shop".to_owned()),
        received_to: Some(events[3].received_at),
        ..ReplayRequest::new(ReplaySource::Topic { partition: None, from: None, to: None })
    };
    let dry = service.replay.run(ReplayRequest { dry_run: true, ..request.clone() }).await.unwrap();
    assert_eq!((dry.read, dry.taken, dry.known, dry.erased), (2, 1, 1, 1), "{dry:?}");
    assert_eq!((service.events().await.len(), dry.samples[0].event_id), (4, Uuid::from_u128(1)));
    let report = service.replay.run(request).await.unwrap();
    let again: Vec<Event> = service.events().await.into_iter().filter(|e| e.event_id == Uuid::from_u128(1)).collect();
    assert_eq!(again, [events[0].clone(), events[0].clone()], "the same event twice, which counts once");
    let (_, kept) = service.objects.get(&format!("replays/{}.json", report.replay_id.unwrap())).await.unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!((&kept["report"]["taken"], &kept["request"]["site"]), (&json!(1), &json!("shop")));
    assert_eq!(kept["report"]["program"], env!("CARGO_PKG_VERSION"));
    let wrong = ReplayRequest::new(ReplaySource::Topic { partition: Some(99), from: None, to: None });
    assert!(service.replay.run(wrong).await.unwrap_err().to_string().contains("no partition 99"));
}
