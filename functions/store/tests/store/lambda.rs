//! The Lambda as AWS runs it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clickstream_event::Micros;
use clickstream_store::{Found, Retention};
use clickstream_testkit::{
    runtime_api::{Lambda, refusal},
    s3::Bucket,
};
use serde_json::json;
use uuid::Uuid;

const PROGRAM: &str = env!("CARGO_BIN_EXE_clickstream-store-events");

#[tokio::test(flavor = "multi_thread")]
async fn records_of_kafka_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    let bucket = Bucket::start().await;
    let mut lambda = Lambda::start(PROGRAM, &[&bucket.environment()[..], &[("STORE_URL", &url)]].concat());
    let id = Uuid::from_u128(1);
    let value = json!({
        "event_id": id, "site_id": "shop", "action": "custom", "user_id": "u", "original_at": Micros(1), "occurred_at": Micros(1),
        "received_at": Micros(1), "source": "http", "verdict": "valid"
    });
    let record = |topic: &str| {
        json!({
            "topic": topic, "partition": 3, "offset": 11, "timestamp": 1_795_514_400_000_i64, "timestampType": "CREATE_TIME",
            "key": STANDARD.encode("shop:1"), "value": STANDARD.encode(value.to_string()), "headers": []
        })
    };
    let event = json!({ "eventSource": "aws:kafka", "bootstrapServers": "b:9092", "records": { "events-3": [record("events")] } });
    lambda.invoke(&event).unwrap();
    let wrong = json!({ "eventSource": "aws:kafka", "bootstrapServers": "b:9092", "records": { "inbound-3": [record("inbound")] } });
    let error = lambda.invoke(&wrong).unwrap_err();
    assert!(error["errorMessage"].as_str().unwrap().contains("events and rejected"), "{error}");
    drop(lambda);

    let store = clickstream_store::connect(&url, Retention::default()).await.unwrap();
    let Some(Found::Event(logged)) = store.find(Some("shop"), id).await.unwrap() else { panic!("not stored") };
    assert_eq!((logged.log_partition, logged.log_offset), (3, 11));
}

#[test]
fn a_wrong_variable_is_named_with_what_would_be_right() {
    let text = refusal(PROGRAM, &[]);
    assert!(text.contains("STORE_URL is not set: sqlite:FOLDER"), "{text}");
    let text = refusal(PROGRAM, &[("STORE_URL", "oracle:x")]);
    assert!(text.contains("STORE_URL is wrong: sqlite:FOLDER"), "{text}");
}
