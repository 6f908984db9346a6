//! The Lambda as AWS runs it.

use std::{collections::BTreeSet, time::Duration};

use clickstream_event::Event;
use clickstream_log::{EVENTS, Log as _, event_record, sqlite::SqliteLog};
use clickstream_spill::{PREFIX, Parcel, encode};
use clickstream_testkit::{
    proxy::Proxy,
    runtime_api::{Lambda, assert_refused},
    s3::Bucket,
    sample::click,
    triggers::{by_sqs, object_created},
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

#[tokio::test(flavor = "multi_thread")]
async fn out_of_time_it_says_so_and_the_next_invocation_returns_the_rest() {
    let (bucket, folder) = (Bucket::start().await, tempfile::tempdir().unwrap());
    let log = format!("sqlite:{}", folder.path().display());
    for id in 0..60 {
        let records = vec![event_record(&click(id, 0)).unwrap()];
        bucket.put(&format!("{PREFIX}{id:03}.ndjson.zst"), encode(&[Parcel { topic: EVENTS, records }]).unwrap()).await;
    }
    let proxy = Proxy::to(&bucket.address());
    let url = bucket.url_through(&proxy.address());
    let environment = [&bucket.environment()[..], &[("LOG_URL", log.as_str()), ("OBJECTS_URL", url.as_str())]].concat();
    let mut lambda = Lambda::start(PROGRAM, &environment);
    lambda.start_up();
    proxy.slow(Duration::from_millis(600));
    let (mut objects, mut runs) = (0, 0);
    loop {
        runs += 1;
        let done = lambda.invoke_within(&json!({}), Duration::from_secs(6)).unwrap();
        objects += done["objects"].as_u64().unwrap();
        if done.get("more").is_none() {
            break;
        }
        assert!(runs < 20, "{done}");
    }
    assert!(runs > 1 && objects == 60, "{objects} objects in {runs} runs");
    // Announced by a queue, the message of an object that is not ours comes again, and nothing else is done.
    let foreign = lambda.invoke(&by_sqs(&[object_created("foreign", "spill/1.ndjson.zst")])).unwrap_err();
    assert!(foreign["errorMessage"].as_str().unwrap().contains("\"foreign\""), "{foreign}");
    drop(lambda);
    assert_eq!(bucket.keys(PREFIX).await, Vec::<String>::new());
    let log = SqliteLog::open(folder.path()).unwrap();
    let mut ids = BTreeSet::new();
    for extent in log.extents(EVENTS).await.unwrap() {
        let records = log.read(EVENTS, extent.partition, 0, 1_000, 1 << 20).await.unwrap();
        ids.extend(records.iter().map(|r| serde_json::from_slice::<Event>(&r.record.value).unwrap().event_id));
    }
    assert_eq!(ids.len(), 60);
}

#[test]
fn a_missing_variable_is_named_with_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    assert_refused(PROGRAM, &[], "LOG_URL is not set: sqlite:FOLDER");
    assert_refused(PROGRAM, &[("LOG_URL", &url)], "OBJECTS_URL is not set: s3://BUCKET names the bucket");
    assert_refused(PROGRAM, &[("LOG_URL", &url), ("OBJECTS_URL", "s3://b")], "OBJECTS_URL is wrong");
}
