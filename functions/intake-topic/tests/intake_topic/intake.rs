//! Records of other systems on a real log.

use clickstream_event::{Event, Micros, Rejection, Site, Sites};
use clickstream_intake_topic::IntakeTopic;
use clickstream_log::{Batch, EVENTS, INBOUND, LoggedRecord, REJECTED, Record, SharedLog};
use serde::de::DeserializeOwned;

struct Service {
    log: SharedLog,
    intake: IntakeTopic,
    _folder: tempfile::TempDir,
}

async fn service() -> Service {
    let folder = tempfile::tempdir().unwrap();
    let log = clickstream_log::connect(&format!("sqlite:{}", folder.path().display())).await.unwrap();
    let intake = IntakeTopic::new(log.clone(), Sites::new(vec![Site::new("shop", "k")]));
    Service { log, intake, _folder: folder }
}

impl Service {
    async fn values<T: DeserializeOwned>(&self, topic: &str) -> Vec<T> {
        let mut values = Vec::new();
        for extent in self.log.extents(topic).await.unwrap() {
            let records = self.log.read(topic, extent.partition, 0, 1_000, 64 << 20).await.unwrap();
            values.extend(records.iter().map(|r| serde_json::from_slice::<T>(&r.record.value).unwrap()));
        }
        values
    }

    async fn codes(&self) -> Vec<String> {
        let rejections: Vec<Rejection> = self.values(REJECTED).await;
        rejections.iter().map(|r| r.reasons[0].code.as_str().to_owned()).collect()
    }
}

fn batch(values: &[&[u8]], site: Option<&'static str>) -> Batch {
    let headers = || site.map(|s| ("site".to_owned(), s.into())).into_iter().collect();
    let record = |value: &[u8]| Record { key: None, value: value.to_vec().into(), headers: headers() };
    let records =
        values.iter().enumerate().map(|(n, v)| LoggedRecord { offset: n as u64, appended_at: 1_795_514_400_000_000, record: record(v) });
    Batch { topic: INBOUND.to_owned(), partition: 0, records: records.collect() }
}

const CANONICAL: &[u8] =
    br#"{"site_id":"shop","event_id":"1","action":"click","element_id":"b","user_id":"u","occurred_at":"2026-11-24T09:00:00Z"}"#;
const SEGMENT: &[u8] = br#"{"type":"track","event":"e","messageId":"2","userId":"u","timestamp":"2026-11-24T09:00:00Z"}"#;
const CLICKS: &[u8] = br#"{"id":"3","type":"CLICK","createdAt":"2026-11-24 09:00:00","userId":"u","payload":{"elementId":"b"}}"#;

#[tokio::test]
async fn every_shape_is_taken_and_the_same_record_gives_the_same_event() {
    let service = service().await;
    let batch = batch(&[CANONICAL, SEGMENT, CLICKS], Some("shop"));
    service.intake.handle(&batch).await.unwrap();
    let first: Vec<Event> = service.values(EVENTS).await;
    assert_eq!(first.len(), 3);
    assert!(first.iter().all(|e| e.site_id == "shop" && e.received_at == Micros(1_795_514_400_000_000)));
    service.intake.handle(&batch).await.unwrap();
    let both: Vec<Event> = service.values(EVENTS).await;
    assert_eq!(both.len(), 6);
    for event in &first {
        assert_eq!(both.iter().filter(|e| *e == event).count(), 2);
    }
    assert!(service.codes().await.is_empty());
}

#[tokio::test]
async fn what_is_no_event_of_a_site_is_rejected_with_its_reason() {
    let service = service().await;
    service.intake.handle(&batch(&[SEGMENT], None)).await.unwrap();
    service.intake.handle(&batch(&[SEGMENT], Some("elsewhere"))).await.unwrap();
    let no_id = br#"{"site_id":"shop","action":"custom","name":"n","user_id":"u","occurred_at":"2026-11-24T09:00:00Z"}"#;
    service.intake.handle(&batch(&[no_id, b"", b"[1]", b"\xff\xfe", b"{\"a\":"], Some("shop"))).await.unwrap();
    let codes = service.codes().await;
    assert_eq!(codes, ["site_missing", "site_missing", "id_missing", "malformed", "malformed", "malformed", "malformed"]);
    let rejections: Vec<Rejection> = service.values(REJECTED).await;
    assert_eq!(rejections[1].site_id.as_deref(), Some("elsewhere"));
    assert!(rejections[2..].iter().all(|r| r.site_id.as_deref() == Some("shop")));
    assert_eq!(rejections[0].original.as_bytes(), SEGMENT);
}

#[tokio::test]
async fn a_record_of_any_size_holds_up_nobody() {
    let service = service().await;
    // Bytes that are no UTF-8 take three times as many as text, quotes twice as many as JSON.
    let (binary, quotes) = (vec![0xff; 999_000], vec![b'"'; 999_000]);
    service.intake.handle(&batch(&[&binary, &quotes, CANONICAL], None)).await.unwrap();
    assert_eq!(service.codes().await, ["too_large", "too_large"]);
    assert_eq!(service.values::<Event>(EVENTS).await.len(), 1);
}
