//! The Lambda as AWS runs it.

use crate::service::Service;
use clickstream_testkit::{
    runtime_api::{Lambda, assert_refused},
    sample::click,
};
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_clickstream-settle");

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_settles_what_the_lake_has() {
    let service = Service::start().await;
    service.append(0, 0, &[click(1, 0), click(2, 86_400)]).await;
    let mut lambda = Lambda::start(PROGRAM, &[&service.bucket.environment()[..], &[("WAREHOUSE_URL", &service.database.url)]].concat());
    let report = lambda.invoke(&json!({})).unwrap();
    assert_eq!(report, json!({ "version": 1, "versions": 2, "rows": 2, "days": ["2026-11-24", "2026-11-25"] }));
    let report = lambda.invoke(&json!({ "source": "aws.events" })).unwrap();
    assert_eq!(report, json!({ "version": 1, "versions": 0, "rows": 0, "days": [] }));
    assert_eq!(service.database.number("count() FROM clicks").await, 2);
}

#[test]
fn a_wrong_variable_is_named_with_what_would_be_right() {
    assert_refused(PROGRAM, &[], "OBJECTS_URL is not set: s3://BUCKET names the bucket");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "bucket")], "OBJECTS_URL is wrong");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "s3://bucket")], "WAREHOUSE_URL is not set: http://USER:PASSWORD@HOST:8123");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "s3://bucket"), ("WAREHOUSE_URL", "http://h:1/a-b")], "WAREHOUSE_URL is wrong");
}
