//! The Lambda as AWS runs it.

use std::time::{Duration, Instant};

use clickstream_testkit::{
    clickhouse::Database,
    proxy::Proxy,
    runtime_api::{Lambda, assert_refused},
    s3::Bucket,
    sample::{click, rows},
    triggers::{by_sqs, object_created},
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

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_object_fails_comes_again_and_the_others_are_loaded() {
    let (bucket, database) = (Bucket::start().await, Database::create().await);
    let environment =
        [&bucket.environment()[..], &[("WAREHOUSE_URL", database.url.as_str()), ("REPORT_BATCH_ITEM_FAILURES", "true")]].concat();
    let mut lambda = Lambda::start(PROGRAM, &environment);
    let broken = bucket.put("raw/events/l/00000/00000000000000000000-00000000000000000000.parquet", "no Parquet").await;
    let whole = bucket.land("l", 1, &rows(0, &[click(1, 0)])).await;
    let announced = [&broken, &whole].map(|object| object_created(&object.bucket, &object.key));
    let answer = lambda.invoke(&by_sqs(&announced)).unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "m-0" }] }));
    assert_eq!(database.number("count() FROM clicks").await, 1);

    let by_bridge = json!({ "detail-type": "Object Created", "source": "aws.s3",
        "detail": { "bucket": { "name": whole.bucket }, "object": { "key": whole.key, "etag": whole.etag, "size": whole.size } } });
    assert_eq!(lambda.invoke(&by_bridge).unwrap(), json!(null));
    assert_eq!(lambda.invoke(&by_sqs(&[json!({ "Service": "Amazon S3", "Event": "s3:TestEvent" })])).unwrap(), json!(null));
    let error = lambda.invoke(&object_created("foreign", &whole.key)).unwrap_err();
    assert!(
        error["errorMessage"].as_str().unwrap().contains("in the bucket \"foreign\", and this function has \"clickstream\""),
        "{error}"
    );
    assert_eq!(lambda.invoke(&object_created(&whole.bucket, "inbox/shop/a.csv")).unwrap(), json!(null));
    let left_alone = lambda.log(|line| line["key"] == "inbox/shop/a.csv");
    assert_eq!((&left_alone["level"], &left_alone["prefix"]), (&json!("WARN"), &json!("raw/events/")), "{left_alone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_or_stopped_environment_finds_its_way_back_with_few_connections() {
    let (bucket, database) = (Bucket::start().await, Database::create().await);
    let (_, rest) = database.url.split_once("://").unwrap();
    let (credentials, place) = rest.rsplit_once('@').map_or(("", rest), |(credentials, place)| (credentials, place));
    let (address, name) = place.split_once('/').unwrap();
    let proxies = [Proxy::to(&bucket.address()), Proxy::to(address)];
    let objects = bucket.url_through(&proxies[0].address());
    let at = if credentials.is_empty() { String::new() } else { format!("{credentials}@") };
    let warehouse = format!("http://{at}{}/{name}", proxies[1].address());
    let through = [("WAREHOUSE_URL", warehouse.as_str()), ("OBJECTS_URL", objects.as_str())];
    let mut lambda = Lambda::start(PROGRAM, &[&bucket.environment()[..], &through].concat());
    let ports = proxies.each_ref().map(|proxy| proxy.address().rsplit(':').next().unwrap().parse::<u16>().unwrap());
    for n in 0..6_u64 {
        if n == 3 {
            lambda.freeze();
            proxies.iter().for_each(Proxy::cut);
            tokio::time::sleep(Duration::from_millis(200)).await;
            lambda.thaw();
        }
        let announced = bucket.land("l", 0, &rows(n, &[click(u128::from(n), 0)])).await;
        lambda.invoke(&object_created(&announced.bucket, &announced.key)).unwrap();
        assert_eq!(database.number("count() FROM clicks").await, n + 1);
        let connections = ports.map(|port| lambda.connections(port));
        assert!(connections.iter().all(|count| *count <= 3), "{connections:?} connections");
    }

    lambda.freeze();
    proxies.iter().for_each(Proxy::forget);
    // What was idle for ten seconds is used no more.
    tokio::time::sleep(Duration::from_secs(11)).await;
    lambda.thaw();
    let began = Instant::now();
    let announced = bucket.land("l", 0, &rows(6, &[click(6, 0)])).await;
    lambda.invoke(&object_created(&announced.bucket, &announced.key)).unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());

    // ClickHouse has the rows when its answer comes, which is too late.
    let announced = bucket.land("l", 0, &rows(7, &[click(7, 0), click(8, 0)])).await;
    proxies[1].slow(Duration::from_secs(4));
    let error = lambda.invoke_within(&object_created(&announced.bucket, &announced.key), Duration::from_secs(2)).unwrap_err();
    assert!(error["errorMessage"].as_str().unwrap().contains("just before the function's time-out"), "{error}");
    proxies[1].slow(Duration::ZERO);
    lambda.invoke(&object_created(&announced.bucket, &announced.key)).unwrap();
    assert_eq!(database.number("count() FROM clicks").await, 9);
}

#[test]
fn a_wrong_variable_is_named_with_what_would_be_right() {
    assert_refused(PROGRAM, &[], "OBJECTS_URL is not set: s3://BUCKET names the bucket");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "s3://b")], "OBJECTS_URL is wrong");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "s3://bucket")], "WAREHOUSE_URL is not set: http://USER:PASSWORD@HOST:8123");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "s3://bucket"), ("WAREHOUSE_URL", "tcp://h:9000")], "WAREHOUSE_URL is wrong");
}
