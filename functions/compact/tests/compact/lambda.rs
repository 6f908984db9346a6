//! The Lambda as AWS runs it.

use std::time::Duration;

use clickstream_lake::{Lake, place};
use clickstream_testkit::{
    proxy::Proxy,
    runtime_api::{Lambda, assert_refused},
    s3::Bucket,
    sample::{click, rows},
};
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_clickstream-compact");

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_brings_what_is_new_into_the_lake() {
    let bucket = Bucket::start().await;
    bucket.land("l", 0, &rows(0, &[click(1, 0), click(2, 0), click(1, 0)])).await;
    bucket.land("l", 1, &rows(5, &[click(3, 0)])).await;
    let mut lambda = Lambda::start(PROGRAM, &[&bucket.environment()[..], &[("LOG_ID", "l")]].concat());
    let report = lambda.invoke(&json!({ "partitions": [0] })).unwrap();
    assert_eq!((&report["rows"], &report["duplicates"], &report["commits"]), (&json!(2), &json!(1), &json!(1)), "{report}");
    let report = lambda.invoke(&json!({})).unwrap();
    assert_eq!((&report["rows"], &report["watermarks"]), (&json!(0), &json!({ "l/0": 3 })), "{report}");
    assert_eq!(report["gaps"], json!([{ "partition": 1, "at": 0 }]));
    let error = lambda.invoke(&json!({ "partition": 0 })).unwrap_err();
    assert!(error["errorMessage"].as_str().unwrap().contains("partitions"), "{error}");

    let error = lambda.invoke(&json!({ "partitions": [0], "vacuum": {} })).unwrap_err();
    assert!(error["errorMessage"].as_str().unwrap().contains("vacuum goes alone"), "{error}");
    bucket.land("l", 0, &rows(3, &[click(4, 0)])).await;
    let report = lambda.invoke(&json!({ "partitions": [0] })).unwrap();
    assert_eq!((&report["rows"], report.get("merge")), (&json!(1), None), "{report}");
    let report = lambda.invoke(&json!({})).unwrap();
    assert_eq!((&report["merge"]["merges"], &report["merge"]["files"]), (&json!(1), &json!(2)), "{report}");
    let report = lambda.invoke(&json!({ "vacuum": { "settled_version": 3, "dry_run": true } })).unwrap();
    assert_eq!((&report["version"], &report["files"], &report["log_files"]), (&json!(3), &json!([]), &json!([])), "{report}");

    let snapshot = Lake::open(bucket.config()).await.unwrap().snapshot().await.unwrap();
    assert_eq!((snapshot.version, snapshot.watermarks), (3, [(place("l", 0), 4)].into()));
    assert_eq!(snapshot.files.iter().map(|f| f.rows).collect::<Vec<_>>(), [3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_time_or_killed_it_leaves_nothing_half_done_and_the_next_invocation_goes_on() {
    let bucket = Bucket::start().await;
    for (n, partition) in (0..8_u64).zip([0, 1].into_iter().cycle()) {
        bucket.land("l", partition, &rows(n / 2 * 3, &[1, 2, 3].map(|id| click(u128::from(n * 10 + id), 0)))).await;
    }
    let proxy = Proxy::to(&bucket.address());
    let url = bucket.url_through(&proxy.address());
    let environment = [&bucket.environment()[..], &[("LOG_ID", "l"), ("OBJECTS_URL", url.as_str())]].concat();
    let lake = Lake::open(bucket.config()).await.unwrap();
    let consistent = async || {
        let snapshot = lake.snapshot().await.unwrap();
        let rows: u64 = snapshot.files.iter().map(|file| file.rows).sum();
        // What a version says it has, it has.
        assert_eq!(rows, snapshot.watermarks.values().sum::<u64>(), "{:?}", snapshot.watermarks);
        rows
    };
    // The bucket is so slow that the deadline comes in the middle.
    let mut lambda = Lambda::start(PROGRAM, &environment);
    lambda.start_up();
    proxy.slow(Duration::from_millis(300));
    match lambda.invoke_within(&json!({}), Duration::from_secs(1)) {
        Ok(report) => assert_eq!(report["more"], true, "{report}"),
        Err(error) => assert!(error["errorMessage"].as_str().unwrap().contains("just before the function's time-out"), "{error}"),
    }
    assert!(consistent().await < 24);
    // Lambda kills the next one.
    lambda.send(&json!({}), Some(Duration::from_mins(1)));
    tokio::time::sleep(Duration::from_millis(700)).await;
    lambda.kill();
    assert!(consistent().await < 24);
    proxy.slow(Duration::ZERO);
    let mut lambda = Lambda::start(PROGRAM, &environment);
    let report = lambda.invoke_within(&json!({}), Duration::from_mins(1)).unwrap();
    assert_eq!((&report["watermarks"], &report["more"]), (&json!({ "l/0": 12, "l/1": 12 }), &json!(false)), "{report}");
    assert_eq!(consistent().await, 24);
    let counted = lambda.counted("clickstream_compacted_rows_total", 1);
    assert!((counted - 24.0).abs() < f64::EPSILON, "{counted}");
}

#[test]
fn a_wrong_variable_is_named_with_what_would_be_right() {
    assert_refused(PROGRAM, &[], "OBJECTS_URL is not set: s3://BUCKET names the bucket");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "s3://bucket?endpoint=h:1")], "OBJECTS_URL is wrong");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "s3://bucket")], "LOG_ID is not set: the id that the log was given");
    let wrong = [("OBJECTS_URL", "s3://bucket"), ("LOG_ID", "l"), ("LAKE_FILE_MB", "1000")];
    assert_refused(PROGRAM, &wrong, "LAKE_FILE_MB=\"1000\" is wrong: MiB from 1 to 256");
}
