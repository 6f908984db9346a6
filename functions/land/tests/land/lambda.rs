//! The Lambda as AWS runs it.

use clickstream_columns::{RawRow, read_parquet, records};
use clickstream_objects::Objects as _;
use clickstream_testkit::{
    runtime_api::{Lambda, assert_refused},
    s3::Bucket,
    sample::{click, value},
    triggers::kafka,
};

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

#[test]
fn a_wrong_variable_is_named_with_what_would_be_right() {
    assert_refused(PROGRAM, &[], "OBJECTS_URL is not set: s3://BUCKET names the bucket");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "file:///x")], "OBJECTS_URL is wrong");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "s3://bucket")], "LOG_ID is not set: the id that the log was given");
}
