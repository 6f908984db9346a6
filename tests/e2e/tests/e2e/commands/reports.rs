//! `report` and `status`.

use clickstream_e2e::{Service, StartOptions};
use serde_json::Value;

use super::days::ago;

#[tokio::test(flavor = "multi_thread")]
async fn each_report_is_a_table_json_or_csv() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::start(&folder.path().join("data"), &StartOptions::default()).await;
    service.command(["demo", "--rate", "0", "--count", "600", "--days", "2"]).await.expect_success();
    service.caught_up(&["store", "land", "load"]).await;
    let (from, to) = (ago(3), ago(0));
    for name in ["elements", "pages", "sessions", "devices", "activity", "heatmap"] {
        let report = async |more: &[&str]| {
            let arguments = ["report", name, "--from", &from, "--to", &to];
            service.command(arguments.iter().chain(more)).await.expect_success()
        };
        let rows = service.report(name, &from, &to).await;
        assert!(!rows.rows.is_empty(), "{name}");
        let json: Vec<Value> = serde_json::from_str(&report(&["--json"]).await).expect("rows");
        assert_eq!(json.len(), rows.rows.len(), "{name}");
        let csv = report(&["--csv"]).await;
        assert_eq!(csv.lines().next(), Some(rows.columns.join(",").as_str()), "{name}");
        assert!(csv.lines().count() > json.len(), "{name}: {csv}");
        let table = report(&[]).await;
        assert!(rows.columns.iter().all(|column| table.contains(&column[..4.min(column.len())])), "{name}: {table}");
        assert!(table.lines().count() > json.len(), "{name}: {table}");
        let other = service.command(["report", name, "--site", "nobody"]).await.expect_success();
        assert_eq!(other, "no rows\n", "{name}");
    }
    for (arguments, right) in [
        (&["report", "everything"][..], "elements"),
        (&["report", "elements", "--json", "--csv"], "--csv"),
        (&["report", "elements", "--from", "2026-02-30"], "--from"),
        (&["report", "elements", "--from", "2026-02-02", "--to", "2026-02-01"], "before"),
        (&["report", "elements", "--from", "2020-01-01", "--to", "2026-02-01"], "400 days"),
    ] {
        let said = service.command(arguments).await.expect_failure();
        assert!(said.contains(right), "{arguments:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_names_every_step_and_its_lag() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::start(&folder.path().join("data"), &StartOptions::default()).await;
    service.command(["demo", "--rate", "0", "--count", "60"]).await.expect_success();
    service.caught_up(&["store", "land", "load"]).await;
    let json: Value = serde_json::from_str(&service.command(["status", "--json"]).await.expect_success()).expect("JSON");
    assert_eq!((&json["logged"], &json["stored"]), (&60.into(), &60.into()), "{json}");
    assert!(json["disk_free"].as_u64().is_some_and(|b| b > 0), "{json}");
    let table = service.command(["status"]).await.expect_success();
    let csv = service.command(["status", "--csv"]).await.expect_success();
    assert_eq!(csv.lines().next(), Some("step,reads,lag,unit,oldest_s"));
    for step in ["intake-topic", "intake-files", "store", "land", "load", "compact", "settle"] {
        assert!(table.contains(step) && csv.lines().any(|line| line.starts_with(step)), "{step}: {table}{csv}");
    }
    assert!(table.contains("60 records logged, 60 events stored"), "{table}");
}
