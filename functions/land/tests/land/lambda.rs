//! The Lambda as AWS runs it.

use std::time::{Duration, Instant};

use clickstream_columns::{RawRow, read_parquet, records};
use clickstream_objects::Objects as _;
use clickstream_testkit::{
    proxy::Proxy,
    runtime_api::{Lambda, assert_refused},
    s3::Bucket,
    sample::{click, value},
    triggers::kafka,
};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_clickstream-land");

#[tokio::test(flavor = "multi_thread")]
async fn records_of_kafka_become_one_object() {
    let bucket = Bucket::start().await;
    let mut lambda = Lambda::start(PROGRAM, &[&bucket.environment()[..], &[("LOG_ID", "l")]].concat());
    let event = kafka("events", 3, 7, &[value(&click(1, 0)), value(&click(2, 0))]);
    for _ in 0..2 {
        lambda.invoke(&event).unwrap();
    }
    let keys = bucket.keys("raw/").await;
    assert_eq!(keys, ["raw/events/l/00003/00000000000000000008-00000000000000000007.parquet"]);
    let (_, bytes) = bucket.objects.get(&keys[0]).await.unwrap();
    let landed = records(&read_parquet(bytes).unwrap()[0]).unwrap();
    let events = [(7, click(1, 0)), (8, click(2, 0))].map(|(offset, event)| (3, offset, RawRow::Event(Box::new(event))));
    assert_eq!(landed.into_iter().map(|r| (r.log_partition, r.log_offset, r.row)).collect::<Vec<_>>(), events);

    let other = lambda.invoke(&kafka("events", 3, 7, &[value(&click(1, 0)), value(&click(9, 0))])).unwrap_err();
    assert!(other["errorMessage"].as_str().unwrap().contains("differs in its event ids"), "{other}");
}

/// Records of several partitions in one event.
fn together(events: [Value; 2]) -> Value {
    let [mut first, second] = events;
    first["records"].as_object_mut().unwrap().extend(second["records"].as_object().unwrap().clone());
    first
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_fails_comes_again_from_its_first_record_and_the_others_are_landed() {
    let bucket = Bucket::start().await;
    let environment = [&bucket.environment()[..], &[("LOG_ID", "l"), ("REPORT_BATCH_ITEM_FAILURES", "true")]].concat();
    let mut lambda = Lambda::start(PROGRAM, &environment);
    lambda.invoke(&kafka("events", 3, 7, &[value(&click(1, 0))])).unwrap();
    // Partition 3 has another event at the same offset, as if the log had been replaced.
    let both =
        together([kafka("events", 3, 7, &[value(&click(9, 0))]), kafka("events", 1, 0, &[value(&click(2, 0)), value(&click(3, 0))])]);
    let answer = lambda.invoke(&both).unwrap();
    let failed = json!([{ "itemIdentifier": { "partition": "events-3", "offset": 7 } }]);
    assert_eq!(answer, json!({ "batchItemFailures": failed }));
    assert_eq!(bucket.keys("raw/events/l/00001/").await.len(), 1);
    // A hole in a batch is no partition's end: what comes after it waits for it.
    let mut holed = kafka("events", 2, 0, &[value(&click(4, 0)), value(&click(5, 0)), value(&click(6, 0))]);
    holed["records"]["events-2"].as_array_mut().unwrap().remove(1);
    let answer = lambda.invoke(&holed).unwrap();
    assert_eq!(answer["batchItemFailures"][0]["itemIdentifier"], json!({ "partition": "events-2", "offset": 0 }));
    assert_eq!(bucket.keys("raw/events/l/00002/").await, Vec::<String>::new());
    let failures = lambda.counted("clickstream_batch_failures_total", 3);
    assert!((failures - 2.0).abs() < f64::EPSILON, "{failures}");

    // A trigger that does not read the answer would take it for success.
    let mut raising = Lambda::start(PROGRAM, &[&bucket.environment()[..], &[("LOG_ID", "l")]].concat());
    let error = raising.invoke(&both).unwrap_err();
    assert!(error["errorMessage"].as_str().unwrap().contains("differs in its event ids"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_no_event_is_named_in_the_logs_by_its_place_and_never_by_its_body() {
    let bucket = Bucket::start().await;
    let mut lambda = Lambda::start(PROGRAM, &[&bucket.environment()[..], &[("LOG_ID", "l")]].concat());
    let request_id = lambda.send(&kafka("events", 3, 7, &[b"s3cret b0dy".to_vec(), value(&click(1, 0))]), None);
    lambda.answer().unwrap();
    let line = lambda.log(|line| line["level"] == "ERROR");
    assert_eq!((&line["offset"], &line["span"]["request_id"], &line["span"]["function"]), (&json!(7), &json!(request_id), &json!("land")));
    assert!(!lambda.said().contains("s3cret"), "{}", lambda.said());
    let metrics = &lambda.metrics(1)[0];
    assert_eq!(
        (&metrics["clickstream_landed_rows_total"], &metrics["clickstream_undecodable_total"]),
        (&json!(2.0), &json!(1.0)),
        "{metrics}"
    );
}

/// A function that reaches its bucket through a proxy.
async fn behind_proxy() -> (Bucket, Proxy, Lambda) {
    let bucket = Bucket::start().await;
    let proxy = Proxy::to(&bucket.address());
    let url = bucket.url_through(&proxy.address());
    let environment = [&bucket.environment()[..], &[("LOG_ID", "l"), ("OBJECTS_URL", url.as_str())]].concat();
    let lambda = Lambda::start(PROGRAM, &environment);
    (bucket, proxy, lambda)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_environment_finds_its_way_back_to_the_bucket_with_few_connections() {
    let (bucket, proxy, mut lambda) = behind_proxy().await;
    let port = proxy.address().rsplit(':').next().unwrap().parse().unwrap();
    for offset in 0..20_u64 {
        lambda.invoke(&kafka("events", 0, offset, &[value(&click(u128::from(offset), 0))])).unwrap();
        assert!(lambda.connections(port) <= 3, "{} connections", lambda.connections(port));
    }
    let before = proxy.taken();
    lambda.freeze();
    proxy.cut();
    tokio::time::sleep(Duration::from_millis(200)).await;
    lambda.thaw();
    lambda.invoke(&kafka("events", 0, 20, &[value(&click(20, 0))])).unwrap();
    assert!(proxy.taken() > before, "its connections were ended");
    assert_eq!(bucket.keys("raw/").await.len(), 21);

    lambda.freeze();
    proxy.forget();
    // What was idle for ten seconds is used no more.
    tokio::time::sleep(Duration::from_secs(11)).await;
    lambda.thaw();
    let began = Instant::now();
    lambda.invoke(&kafka("events", 0, 21, &[value(&click(21, 0))])).unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(bucket.keys("raw/").await.len(), 22);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_that_runs_out_of_time_leaves_what_the_next_one_finishes() {
    let (bucket, proxy, mut lambda) = behind_proxy().await;
    let batch = kafka("events", 0, 0, &[value(&click(1, 0)), value(&click(2, 0))]);
    // The object is there when its answer comes, which is too late.
    proxy.slow(Duration::from_secs(4));
    let error = lambda.invoke_within(&batch, Duration::from_secs(2)).unwrap_err();
    assert!(error["errorMessage"].as_str().unwrap().contains("just before the function's time-out"), "{error}");
    proxy.slow(Duration::ZERO);
    lambda.invoke(&batch).unwrap();
    let keys = bucket.keys("raw/").await;
    assert_eq!(keys, ["raw/events/l/00000/00000000000000000001-00000000000000000000.parquet"]);
}

#[test]
fn a_wrong_variable_is_named_with_what_would_be_right() {
    assert_refused(PROGRAM, &[], "OBJECTS_URL is not set: s3://BUCKET names the bucket");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "file:///x")], "OBJECTS_URL is wrong");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "s3://bucket")], "LOG_ID is not set: the id that the log was given");
    let wrong = [("OBJECTS_URL", "s3://bucket"), ("LOG_ID", "l"), ("REPORT_BATCH_ITEM_FAILURES", "yes")];
    assert_refused(PROGRAM, &wrong, "REPORT_BATCH_ITEM_FAILURES=\"yes\" is wrong: true where every trigger");
}
