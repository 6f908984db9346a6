//! The Lambda as AWS runs it.

use clickstream_event::Event;
use clickstream_intake_files::{Receipt, receipt_key};
use clickstream_log::{EVENTS, Log as _, sqlite::SqliteLog};
use clickstream_objects::Objects as _;
use clickstream_testkit::{
    runtime_api::{Lambda, assert_refused},
    s3::Bucket,
    triggers::{by_sqs, object_created},
};
use serde_json::json;

use crate::service;

const PROGRAM: &str = env!("CARGO_BIN_EXE_clickstream-intake-files");

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_s3_announces_is_taken_whatever_its_name_looks_like() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    let bucket = Bucket::start().await;
    let environment = [&bucket.environment()[..], &[("LOG_URL", url.as_str()), ("SITES", "shop:k")]].concat();
    let mut lambda = Lambda::start(PROGRAM, &environment);
    // Decoded twice, or not at all, none of these keys would name its object.
    let names = ["a.ndjson", "a b.ndjson", "a+b.ndjson", "100%.ndjson", "a%20b.ndjson", "%2B.ndjson", "2026/11/ёлка – 1.ndjson"];
    for (n, name) in (0..).zip(names) {
        let announced = bucket.put(&format!("inbox/shop/{name}"), service::lines(n..n + 1)).await;
        lambda.invoke(&object_created(&announced.bucket, &announced.key)).unwrap();
        let (_, receipt) = bucket.objects.get(&receipt_key("shop", name, &announced.etag)).await.unwrap();
        assert_eq!(serde_json::from_slice::<Receipt>(&receipt).unwrap().accepted, 1, "{name}");
    }
    let foreign = bucket.put("inbox/ghost/a.ndjson", service::lines(0..1)).await;
    lambda.invoke(&object_created(&foreign.bucket, &foreign.key)).unwrap();
    assert_eq!(bucket.keys("quarantine/").await.len(), 1);
    lambda.invoke(&json!({ "Records": [] })).unwrap();
    // By SNS and SQS, and by EventBridge, which has the key as it is.
    let queued = bucket.put("inbox/shop/q ueued.ndjson", service::lines(100..101)).await;
    let note = json!({ "Type": "Notification", "Message": object_created(&queued.bucket, &queued.key).to_string() });
    lambda.invoke(&by_sqs(&[note])).unwrap();
    let bridged = bucket.put("inbox/shop/b+ridged.ndjson", service::lines(101..102)).await;
    let object =
        json!({ "bucket": { "name": bridged.bucket }, "object": { "key": bridged.key, "size": bridged.size, "etag": bridged.etag } });
    lambda.invoke(&json!({ "detail-type": "Object Created", "source": "aws.s3", "detail": object })).unwrap();
    drop(lambda);

    let log = SqliteLog::open(folder.path()).unwrap();
    let mut events: Vec<Event> = Vec::new();
    for extent in log.extents(EVENTS).await.unwrap() {
        let records = log.read(EVENTS, extent.partition, 0, 100, 1 << 20).await.unwrap();
        events.extend(records.iter().map(|r| serde_json::from_slice::<Event>(&r.record.value).unwrap()));
    }
    assert_eq!(events.len(), names.len() + 2);
    assert!(events.iter().all(|e| e.site_id == "shop"));
}

#[test]
fn a_wrong_variable_is_named_with_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let log = format!("sqlite:{}", folder.path().display());
    assert_refused(PROGRAM, &[], "LOG_URL is not set: sqlite:FOLDER names the folder of the log");
    assert_refused(PROGRAM, &[("LOG_URL", "ftp:")], "LOG_URL is wrong: sqlite:FOLDER");
    assert_refused(PROGRAM, &[("LOG_URL", "kafka:")], "LOG_URL is wrong: kafka://HOST:PORT");
    assert_refused(PROGRAM, &[("LOG_URL", &log)], "OBJECTS_URL is not set: s3://BUCKET names the bucket");
    assert_refused(PROGRAM, &[("LOG_URL", &log), ("OBJECTS_URL", "s3:")], "OBJECTS_URL is wrong");
    assert_refused(PROGRAM, &[("LOG_URL", &log), ("OBJECTS_URL", "s3://bucket"), ("SITES", "shop")], "shop:k3y,blog:0th3r");
}
