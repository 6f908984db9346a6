//! The Lambda as AWS runs it.

use clickstream_log::{EVENTS, Log as _, event_record, sqlite::SqliteLog};
use clickstream_spill::{PREFIX, Parcel, encode};
use clickstream_testkit::{
    runtime_api::{Lambda, assert_refused},
    s3::Bucket,
    sample::click,
    triggers::object_created,
};
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_clickstream-unspill");

#[tokio::test(flavor = "multi_thread")]
async fn an_announced_object_and_a_schedule_return_all_that_waits() {
    let (bucket, folder) = (Bucket::start().await, tempfile::tempdir().unwrap());
    let url = format!("sqlite:{}", folder.path().display());
    let mut lambda = Lambda::start(PROGRAM, &[&bucket.environment()[..], &[("LOG_URL", &url)]].concat());
    let spill = async |name: &str, ids: std::ops::Range<u128>| {
        let records = ids.map(|id| event_record(&click(id, 0)).unwrap()).collect();
        bucket.put(&format!("{PREFIX}{name}"), encode(&[Parcel { topic: EVENTS, records }]).unwrap()).await
    };
    spill("1.ndjson.zst", 0..5).await;
    let announced = spill("2.ndjson.zst", 5..7).await;
    let done = lambda.invoke(&object_created(&announced.bucket, &announced.key)).unwrap();
    assert_eq!(done, json!({ "objects": 2, "records": 7, "quarantined": 0 }));
    spill("3.ndjson.zst", 7..8).await;
    let done = lambda.invoke(&json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} })).unwrap();
    assert_eq!(done, json!({ "objects": 1, "records": 1, "quarantined": 0 }));
    drop(lambda);

    assert_eq!(bucket.keys(PREFIX).await, Vec::<String>::new());
    let log = SqliteLog::open(folder.path()).unwrap();
    assert_eq!(log.extents(EVENTS).await.unwrap().iter().map(|extent| extent.end).sum::<u64>(), 8);
}

#[test]
fn a_missing_variable_is_named_with_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    assert_refused(PROGRAM, &[], "LOG_URL is not set: sqlite:FOLDER");
    assert_refused(PROGRAM, &[("LOG_URL", &url)], "OBJECTS_URL is not set: s3://BUCKET names the bucket");
    assert_refused(PROGRAM, &[("LOG_URL", &url), ("OBJECTS_URL", "s3://b")], "OBJECTS_URL is wrong");
}
