//! The Lambda as AWS runs it.

use crate::scene::{Scene, clicks};
use clickstream_testkit::runtime_api::{Lambda, assert_refused};
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_clickstream-reconcile");

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_reconciles_and_another_rebuilds() {
    let scene = Scene::start().await;
    scene.take(&clicks(0..30)).await;
    scene.sql("ALTER TABLE events DELETE WHERE log_offset < 3").await;
    // A log and a store of one process at a time.
    scene.log.close().await;
    let (log, store) = (scene.folder.path().join("log"), scene.folder.path().join("lambda-store"));
    let (log, store) = (format!("sqlite:{}", log.display()), format!("sqlite:{}", store.display()));
    let parts = [("LOG_URL", log.as_str()), ("STORE_URL", &store), ("WAREHOUSE_URL", &scene.database.url)];
    let parts = [&parts[..], &[("STORE_REJECTED_GROUP", "store-rejected")]].concat();
    let mut lambda = Lambda::start(PROGRAM, &[&scene.bucket.environment()[..], &parts].concat());
    let told = lambda.invoke(&json!({ "dry_run": true })).unwrap();
    assert_eq!((&told["dry_run"], &told["balanced"]), (&json!(true), &json!(false)), "{told}");
    let report = lambda.invoke(&json!({ "source": "aws.events" })).unwrap();
    assert_eq!((&report["balanced"], &report["failed"]), (&json!(true), &json!([])), "{report}");
    let groups: Vec<_> = report["groups"].as_array().unwrap().iter().map(|lag| (&lag["group"], &lag["topic"])).collect();
    assert!(
        groups.contains(&(&json!("store-rejected"), &json!("rejected"))) && groups.contains(&(&json!("store"), &json!("events"))),
        "{report}"
    );
    let kinds: Vec<_> = report["repairs"].as_array().unwrap().iter().map(|repair| repair["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"warehouse_restored") && kinds.contains(&"store_replayed"), "{report}");
    assert_eq!(scene.count("settled").await, 30);
    let rebuilt = lambda.invoke(&json!({ "rebuild": { "from": "lake" } })).unwrap();
    assert_eq!((&rebuilt["rows"], &rebuilt["stored"]), (&json!(30), &json!(30)), "{rebuilt}");
    let error = lambda.invoke(&json!({ "accept_gap": "x" })).unwrap_err();
    assert!(error["errorMessage"].as_str().unwrap().contains("PARTITION:FROM-TO"), "{error}");
}

#[test]
fn a_wrong_variable_is_named_with_what_would_be_right() {
    assert_refused(PROGRAM, &[], "OBJECTS_URL is not set: s3://BUCKET names the bucket");
    assert_refused(PROGRAM, &[("OBJECTS_URL", "s3://bucket")], "WAREHOUSE_URL is not set: http://USER:PASSWORD@HOST:8123");
    let parts = [("OBJECTS_URL", "s3://bucket"), ("WAREHOUSE_URL", "http://h:1/a")];
    assert_refused(PROGRAM, &parts, "LOG_URL is not set: sqlite:FOLDER");
}
