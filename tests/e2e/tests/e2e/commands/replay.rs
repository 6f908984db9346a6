//! `replay`.

use std::{path::Path, time::Duration};

use clickstream_columns::{RawRow, raw_batch, read_parquet, records, write_raw_object};
use clickstream_e2e::{Service, StartOptions, eventually};
use clickstream_event::{DeviceType, Verdict};
use clickstream_objects::{Condition, Objects as _, PutOptions, embedded::EmbeddedS3, s3::S3Objects};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{days::ago, ledger::reports};

async fn replay(service: &Service, arguments: &[&str]) -> Value {
    let said = service.command(["replay"].iter().chain(arguments)).await.expect_success();
    serde_json::from_str(&said).unwrap_or_else(|e| panic!("no report ({e}): {said}"))
}

/// Waits until so many events are exported.
async fn exported(service: &Service, count: usize) {
    eventually(Duration::from_secs(30), "events are exported", || async {
        let exported = service.exported(&ago(1), &ago(0)).await;
        assert!(exported.values().all(|c| *c == 1));
        if exported.len() == count { Ok(()) } else { Err(format!("{} instead of {count}", exported.len())) }
    })
    .await;
    service.caught_up(&["store", "land", "load"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_records_are_played_again_once_and_a_dry_run_only_tells() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::start(&folder.path().join("data"), &StartOptions::default()).await;
    let event = |id: &str, action: &str| {
        let day = ago(1);
        format!(r#"{{"event_id":{id},"action":"{action}","element_id":"e","user_id":"u","occurred_at":"{day}T10:00:00Z"}}"#)
    };
    // A file's event without an id is rejected; a replay gives it one by its place.
    let lines = [event("\"1\"", "click"), event("null", "click"), event("\"3\"", "dance")].join("\n");
    let file = folder.path().join("events.ndjson");
    std::fs::write(&file, lines).expect("a file");
    let said = service.command(["import".as_ref(), file.as_os_str()]).await.expect_success();
    assert!(said.contains("2 rejected of 3 records"), "{said}");
    exported(&service, 1).await;

    let told = replay(&service, &["rejected", "--dry-run"]).await;
    assert_eq!((&told["dry_run"], &told["read"], &told["taken"]), (&true.into(), &2.into(), &1.into()), "{told}");
    assert_eq!(told["still_rejected"]["action_unknown"], 1, "{told}");
    assert_eq!(service.json("/v1/status").await["logged"], 3, "a dry run logs nothing");

    let none = replay(&service, &["rejected", "--site", "demo-news"]).await;
    assert_eq!(none["read"], 0, "{none}");
    for _ in 0..2 {
        let done = replay(&service, &["rejected", "--site", "demo"]).await;
        assert_eq!((&done["dry_run"], &done["taken"], &done["samples"]), (&false.into(), &1.into(), &told["samples"]), "{done}");
        exported(&service, 2).await;
    }
    let id = told["samples"][0]["event_id"].as_str().expect("an id");
    let trace = service.command(["trace", id]).await.expect_success();
    assert!(trace.contains("visible true"), "{trace}");
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_objects_are_loaded_again_without_counting_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::start(&folder.path().join("data"), &StartOptions::default()).await;
    service.command(["demo", "--rate", "0", "--count", "300"]).await.expect_success();
    service.caught_up(&["store", "land", "load"]).await;
    let before = service.exported(&ago(1), &ago(0)).await;
    let told = replay(&service, &["raw", "--dry-run"]).await;
    assert!(told["taken"].as_u64().is_some_and(|n| n > 0), "{told}");
    let done = replay(&service, &["raw"]).await;
    assert_eq!(done["taken"], told["taken"]);
    assert_eq!(service.exported(&ago(1), &ago(0)).await, before);
    service.invoke("compact").await;
    service.invoke("settle").await;
    let settled = replay(&service, &["raw"]).await;
    assert_eq!(settled["taken"], 0, "what is settled is left out: {settled}");
    assert_eq!(service.exported(&ago(1), &ago(0)).await, before);
}

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

/// Views of pages from phones, at noon of a day.
fn views(day: &str, count: usize) -> Value {
    let view = |n: usize| {
        json!({
            "type": "page", "messageId": Uuid::now_v7(), "anonymousId": format!("a-{}", n % 7), "timestamp": format!("{day}T12:{:02}:00Z", n % 60),
            "context": { "userAgent": IPHONE, "page": { "url": "https://shop.example/cart" } }
        })
    };
    json!({ "writeKey": "demo", "batch": (0..count).map(view).collect::<Vec<_>>() })
}

/// Rewrites every raw object of a service that does not run, as a version that knows no phones would have landed it.
async fn as_an_earlier_version_landed_them(objects: &Path) -> usize {
    let s3 = EmbeddedS3::start(objects, "clickstream").await.expect("the bucket");
    let bucket = S3Objects::connect(s3.config()).await;
    let mut rewritten = 0;
    for object in bucket.list("raw/events/", None, 1_000).await.expect("a listing") {
        let (info, bytes) = bucket.get(&object.key).await.expect("an object");
        let log_id = object.key.split('/').nth(2).expect("a log").to_owned();
        let landed = read_parquet(bytes).expect("rows").iter().flat_map(|batch| records(batch).expect("rows")).collect::<Vec<_>>();
        let partition = landed[0].log_partition;
        let rows = landed.into_iter().map(|record| {
            let RawRow::Event(mut event) = record.row else { panic!("no event") };
            (event.device_type, event.os, event.browser) = (DeviceType::Unknown, None, None);
            (event.verdict, event.warnings) = (Verdict::Suspicious, vec!["device_unknown".to_owned()]);
            (record.log_offset, RawRow::Event(event))
        });
        let rows: Vec<_> = rows.collect();
        rewritten += rows.len();
        let body = write_raw_object(&raw_batch(&log_id, partition, &rows).expect("columns")).expect("an object");
        let options = PutOptions { condition: Condition::None, content_type: None, metadata: info.metadata };
        bucket.put(&object.key, body, options).await.expect("it is written");
    }
    s3.shutdown().await;
    rewritten
}

/// How many events of each device, system and browser a day's report has.
async fn devices(service: &Service, day: &str) -> Vec<[Value; 4]> {
    let report = service.json(&format!("/v1/reports/devices?site=demo&from={day}&to={day}")).await;
    let rows = report["rows"].as_array().expect("rows");
    rows.iter().map(|row| ["device_type", "os", "browser", "events"].map(|column| row[column].clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn days_of_an_earlier_version_are_computed_anew_and_each_event_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    // No compaction of its own between the looks.
    let options = StartOptions { environment: vec![("COMPACT_INTERVAL", "86400".to_owned())], ..StartOptions::default() };
    let service = Service::start(&data, &options).await;
    let (day, eve) = (ago(1), ago(2));
    for batch in [views(&day, 40), views(&eve, 20)] {
        assert!(service.post("/v1/batch").json(&batch).send().await.expect("an answer").status().is_success());
    }
    service.caught_up(&["store", "land", "load"]).await;
    assert!(service.terminate().await.success());
    assert_eq!(as_an_earlier_version_landed_them(&data.join("objects")).await, 60);
    let service = Service::start(&data, &options).await;
    service.settle_everything().await;
    let (unknown, iphones) =
        ([json!("unknown"), Value::Null, Value::Null, json!(40)], [json!("mobile"), json!("iOS"), json!("Mobile Safari"), json!(40)]);
    assert_eq!(devices(&service, &day).await, [unknown]);
    let before = service.exported(&eve, &ago(0)).await;
    assert!(before.len() == 60 && before.values().all(|count| *count == 1));

    let text = service.command(["replay", "days", "--from-day", &day, "--dry-run"]).await.expect_success();
    assert!(text.contains("40 of 40 rows would have another value; nothing was changed") && text.contains("device_type"), "{text}");
    let told = replay(&service, &["days", "--from-day", &day, "--dry-run", "--json"]).await;
    assert_eq!((&told["taken"], &told["days"][0]["fields"]["device_type"]), (&json!(40), &json!(40)), "{told}");
    let done = replay(&service, &["days", "--from-day", &day, "--json"]).await;
    let dry = &told["days"][0];
    for part in ["rows", "from_raw", "from_lake", "changed", "fields", "samples"] {
        assert_eq!(done["days"][0][part], dry[part], "{part}: {done}");
    }
    assert!(done["days"][0]["version"].is_u64() && done["days"][0]["load_id"].is_string(), "{done}");
    assert_eq!(devices(&service, &day).await, [iphones]);
    assert_eq!(devices(&service, &eve).await[0][0], "unknown", "the day before was not asked for");
    assert_eq!(service.exported(&eve, &ago(0)).await, before);

    let again = service.command(["replay", "days", "--from-day", &eve, "--to-day", &day]).await.expect_success();
    assert!(again.contains("20 of 60 rows have another value; kept as replays/"), "{again}");
    let trace = service.command(["trace", &before.keys().next().expect("an event").to_string()]).await.expect_success();
    assert!(trace.contains("visible true"), "{trace}");
    let shown = reports(&service).await;
    let rebuilt: Value = serde_json::from_str(&service.command(["rebuild", "--from", "lake"]).await.expect_success()).expect("JSON");
    assert_eq!(rebuilt["rows"], 60, "{rebuilt}");
    assert!(reports(&service).await == shown, "reports differ after a rebuild");
    assert_eq!(service.exported(&eve, &ago(0)).await, before);
    let report = service.command(["reconcile"]).await.expect_success();
    assert!(report.contains("\"balanced\": true") && report.contains("\"repairs\": []"), "{report}");
    let said = service.command(["replay", "days"]).await.expect_failure();
    assert!(said.contains("--from-day"), "{said}");
    let said = service.command(["replay", "days", "--from-day", &day, "--to-day", &eve]).await.expect_failure();
    assert!(said.contains("no days to replay"), "{said}");
}
