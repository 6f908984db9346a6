//! The Lambda as AWS runs it.

use clickstream_testkit::{
    clickhouse::Database,
    runtime_api::{Lambda, assert_refused},
    s3::Bucket,
    sample::{click, rows},
    triggers::object_created,
};
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_clickstream-load");

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_s3_announces_is_loaded_whatever_its_key_looks_like() {
    let (bucket, database) = (Bucket::start().await, Database::create().await);
    let mut lambda = Lambda::start(PROGRAM, &[&bucket.environment()[..], &[("WAREHOUSE_URL", &database.url)]].concat());
    // Decoded twice, or not at all, none of these keys would name its object.
    for (n, log_id) in ["plain", "a b", "a+b", "50%", "a%20b", "a%2Bb", "%D1%91", "ёлка"].into_iter().enumerate() {
        let announced = bucket.land(log_id, 0, &rows(0, &[click(n as u128, 0)])).await;
        lambda.invoke(&object_created(&announced.bucket, &announced.key)).unwrap();
        assert_eq!(database.number("count() FROM clicks").await, n as u64 + 1, "{log_id}");
    }
    lambda.invoke(&object_created("clickstream", "receipts/shop/a.csv.json")).unwrap();
    lambda.invoke(&json!({ "Records": [] })).unwrap();

    let announced = bucket.put("raw/events/l/00000/00000000000000000000-00000000000000000000.parquet", "no Parquet").await;
    let error = lambda.invoke(&object_created(&announced.bucket, &announced.key)).unwrap_err();
    assert!(error["errorMessage"].as_str().unwrap().contains("this is no Parquet file"), "{error}");
}

#[test]
fn a_wrong_variable_is_named_with_what_would_be_right() {
    assert_refused(PROGRAM, &[], "OBJECTS_URL is not set: s3://BUCKET names the bucket");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "s3://b")], "OBJECTS_URL is wrong");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "s3://bucket")], "WAREHOUSE_URL is not set: http://USER:PASSWORD@HOST:8123");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "s3://bucket"), ("WAREHOUSE_URL", "tcp://h:9000")], "WAREHOUSE_URL is wrong");
}
