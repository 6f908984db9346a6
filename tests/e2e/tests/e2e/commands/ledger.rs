//! `ledger`, `reconcile` and `rebuild`.

use std::{fs, path::Path};

use clickstream_e2e::{Service, StartOptions};
use serde_json::Value;

use super::days::ago;
use crate::clicks::batch;

async fn parsed(service: &Service, arguments: &[&str]) -> Value {
    let said = service.command(arguments).await.expect_success();
    serde_json::from_str(&said).unwrap_or_else(|e| panic!("no JSON ({e}): {said}"))
}

/// Sums a column over the partitions.
fn sum(ledger: &Value, column: &str) -> u64 {
    ledger["partitions"].as_array().expect("partitions").iter().map(|row| row[column].as_u64().expect("a number")).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_is_accounted_for_and_a_raw_object_that_is_gone_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let service = Service::start(&data, &StartOptions::default()).await;
    let (ids, events) = batch(100);
    for _ in 0..2 {
        assert!(service.post("/v1/batch").json(&events).send().await.expect("an answer").status().is_success());
    }
    let wrong = serde_json::json!({ "writeKey": "demo", "batch": [{ "type": "dance", "messageId": "m", "anonymousId": "a" }] });
    service.post("/v1/batch").json(&wrong).send().await.expect("an answer");
    service.caught_up(&["store", "land", "load"]).await;
    let ledger = parsed(&service, &["ledger", "--json"]).await;
    assert_eq!((sum(&ledger, "pending"), sum(&ledger, "settled"), &ledger["balanced"]), (200, 0, &true.into()), "{ledger}");
    service.settle_everything().await;
    let report = parsed(&service, &["reconcile"]).await;
    assert_eq!((&report["balanced"], report["repairs"].as_array().map(Vec::len)), (&true.into(), Some(0)), "{report}");
    let ledger = parsed(&service, &["ledger", "--json"]).await;
    let steps = ["logged", "stored", "landed", "loaded", "settled", "duplicates", "pending", "rejected"].map(|step| sum(&ledger, step));
    assert_eq!(steps, [201, 201, 200, 100, 100, 100, 0, 1], "{ledger}");

    let table = service.command(["ledger"]).await.expect_success();
    assert!(table.contains("unaccounted") && table.contains("every record is accounted for"), "{table}");
    let csv = service.command(["ledger", "--csv"]).await.expect_success();
    assert!(csv.starts_with("topic,log_id,log_partition,logged,stored,landed,loaded,settled"), "{csv}");
    let hours = service.command(["ledger", "--hours", "3"]).await.expect_success();
    assert!(hours.contains("received") && hours.contains("200"), "{hours}");
    let said = service.command(["ledger", "--hours", "0"]).await.expect_failure();
    assert!(said.contains("from 1 to 720"), "{said}");
    let said = service.command(["reconcile", "--accept-gap", "1:5-7"]).await.expect_failure();
    assert!(said.contains("no gap that the log cannot fill"), "{said}");
    let metrics = service.get("/metrics").send().await.expect("metrics").text().await.expect("text");
    assert!(metrics.contains("clickstream_ledger_records{") && metrics.contains("clickstream_group_late{"), "{metrics}");
    assert_eq!(service.exported(&ago(1), &ago(0)).await.len(), ids.len());
}

/// Every report as text.
pub async fn reports(service: &Service) -> String {
    let (mut text, from, to) = (String::new(), ago(4), ago(0));
    for name in ["elements", "pages", "sessions", "devices", "activity", "heatmap"] {
        let path = format!("/v1/reports/{name}?site=demo&from={from}&to={to}");
        text += &service.get(&path).send().await.expect("an answer").text().await.expect("text");
    }
    text
}

fn remove(data: &Path, name: &str) {
    fs::remove_dir_all(data.join(name)).expect("it is removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_and_the_event_store_are_rebuilt_from_the_lake_byte_by_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    // No compaction of its own between the looks.
    let options = StartOptions { environment: vec![("COMPACT_INTERVAL", "86400".to_owned())], ..StartOptions::default() };
    let service = Service::start(&data, &options).await;
    service.command(["demo", "--rate", "0", "--count", "3000", "--days", "3"]).await.expect_success();
    service.caught_up(&["store", "land", "load"]).await;
    service.settle_everything().await;
    service.command(["demo", "--rate", "0", "--count", "500", "--seed", "7"]).await.expect_success();
    service.caught_up(&["store", "land", "load"]).await;
    let (before, exported) = (reports(&service).await, service.exported(&ago(4), &ago(0)).await);
    assert!(service.terminate().await.success());

    remove(&data, "clickhouse");
    remove(&data, "store");
    let service = Service::start(&data, &options).await;
    assert!(reports(&service).await != before);
    let report = parsed(&service, &["rebuild", "--from", "lake"]).await;
    assert!(report["rows"].as_u64().is_some_and(|rows| rows > 0) && report["loaded_objects"].as_u64().is_some_and(|n| n > 0), "{report}");
    assert!(reports(&service).await == before, "reports differ");
    assert!(service.exported(&ago(4), &ago(0)).await == exported, "exports differ");
    let id = exported.keys().next().expect("an event").to_string();
    let trace = service.command(["trace", &id]).await.expect_success();
    assert!(trace.contains("visible true") && trace.contains("stored true"), "{trace}");
    let ledger = parsed(&service, &["ledger", "--json"]).await;
    assert_eq!(ledger["balanced"], true, "{ledger}");
    service.settle_everything().await;
    assert!(reports(&service).await == before, "reports differ once all is settled");
    let said = service.command(["rebuild"]).await.expect_failure();
    assert!(said.contains("--from"), "{said}");
}
