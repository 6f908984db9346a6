//! `replay`.

use std::time::Duration;

use clickstream_e2e::{Service, StartOptions, eventually};
use serde_json::Value;

use super::days::ago;

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
