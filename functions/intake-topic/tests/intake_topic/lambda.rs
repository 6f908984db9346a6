//! The Lambda as AWS runs it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clickstream_event::Event;
use clickstream_log::{EVENTS, Log as _, sqlite::SqliteLog};
use clickstream_testkit::runtime_api::{Lambda, refusal};
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_clickstream-intake-topic");

#[tokio::test(flavor = "multi_thread")]
async fn records_of_kafka_become_events() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    let mut lambda = Lambda::start(PROGRAM, &[("LOG_URL", &url), ("SITES", "shop:k")]);
    let value = r#"{"event_id":"1","action":"click","element_id":"b","user_id":"u","occurred_at":"2026-11-24T09:00:00Z"}"#;
    let record = json!({
        "topic": "inbound", "partition": 0, "offset": 7, "timestamp": 1_795_514_400_000_i64, "timestampType": "CREATE_TIME",
        "value": STANDARD.encode(value), "headers": [{ "site": b"shop".to_vec() }]
    });
    let event = json!({ "eventSource": "SelfManagedKafka", "bootstrapServers": "b:9092", "records": { "inbound-0": [record] } });
    lambda.invoke(&event).unwrap();
    drop(lambda);

    let log = SqliteLog::open(folder.path()).unwrap();
    let mut events = Vec::new();
    for extent in log.extents(EVENTS).await.unwrap() {
        events.extend(log.read(EVENTS, extent.partition, 0, 10, 1 << 20).await.unwrap());
    }
    let event: Event = serde_json::from_slice(&events[0].record.value).unwrap();
    assert_eq!((events.len(), event.site_id.as_str(), event.received_at.0), (1, "shop", 1_795_514_400_000_000));
}

#[test]
fn a_missing_variable_is_named_with_what_would_be_right() {
    let text = refusal(PROGRAM, &[]);
    assert!(text.contains("LOG_URL is not set: sqlite:FOLDER"), "{text}");
}
