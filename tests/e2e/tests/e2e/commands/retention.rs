//! `retention`, and the function by Lambda's Invoke API.

use clickstream_e2e::{Service, StartOptions};
use serde_json::{Value, json};

use crate::clicks::batch;

/// What each rule removed or would remove.
fn removed(report: &Value) -> Vec<(&str, u64)> {
    let rules = report["rules"].as_array().expect("rules");
    rules.iter().map(|rule| (rule["rule"].as_str().expect("a name"), rule["removed"].as_u64().expect("a number"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_says_what_would_go_and_young_things_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let options = StartOptions { environment: vec![("LAKE_DAYS", "31".to_owned())], ..StartOptions::default() };
    let service = Service::start(&data, &options).await;
    let (_, events) = batch(20);
    assert!(service.post("/v1/batch").json(&events).send().await.expect("an answer").status().is_success());
    service.caught_up(&["store", "land", "load"]).await;
    service.settle_everything().await;
    let would: Value = serde_json::from_str(&service.command(["retention", "--dry-run", "--json"]).await.expect_success()).expect("JSON");
    let rules: Vec<_> = removed(&would).into_iter().map(|(rule, _)| rule).collect();
    let all = [
        "topic events",
        "topic inbound",
        "topic rejected",
        "event store",
        "rejected records",
        "raw objects",
        "lake",
        "fresh rows",
        "abandoned loads",
        "inbox",
        "quarantine",
        "replays",
    ];
    assert_eq!((&would["dry_run"], &would["failed"], rules.as_slice()), (&json!(true), &json!([]), all.as_slice()));
    assert!(removed(&would).iter().all(|(_, removed)| *removed == 0), "{would}");

    let table = service.command(["retention", "--dry-run"]).await.expect_success();
    assert!(table.contains("30 days once settled") && table.trim_end().ends_with("nothing was removed"), "{table}");
    let done: Value = service.invoke("retention").await;
    assert_eq!((&done["dry_run"], removed(&done)), (&json!(false), removed(&would)));
    let ledger: Value = serde_json::from_str(&service.command(["ledger", "--json"]).await.expect_success()).expect("JSON");
    assert_eq!(ledger["balanced"], true, "{ledger}");
    let said = service.command(["config"]).await.expect_success();
    assert!(said.contains("LAKE_DAYS") && said.contains("RAW_EXPIRY"), "{said}");
}
