//! The Lambda as AWS runs it.

use clickstream_testkit::{
    runtime_api::{Lambda, assert_refused},
    sample::click,
};
use serde_json::{Value, json};

use crate::service::Service;

const PROGRAM: &str = env!("CARGO_BIN_EXE_clickstream-retention");

fn rules(report: &Value) -> Vec<&str> {
    report["rules"].as_array().unwrap().iter().map(|applied| applied["rule"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_applies_every_rule_or_says_what_would_go() {
    let service = Service::start().await;
    service.land(0, 0, &[click(1, 0)]).await;
    service.compact_and_settle().await;
    let variables = [("RAW_EXPIRY", "delete"), ("LAKE_DAYS", "31")];
    let mut lambda = Lambda::start(PROGRAM, &[&service.environment()[..], &variables].concat());
    let would = lambda.invoke(&json!({ "dry_run": true })).unwrap();
    assert_eq!((&would["dry_run"], &would["failed"]), (&json!(true), &json!([])));
    assert_eq!(rules(&would), ["raw objects", "lake", "fresh rows", "abandoned loads", "inbox", "quarantine", "replays"]);
    let done = lambda.invoke(&json!({})).unwrap();
    assert_eq!((&done["dry_run"], rules(&done)), (&json!(false), rules(&would)));
    assert_eq!(done["rules"][1]["kept"], json!("31 days"));
    let error = lambda.invoke(&json!({ "dry-run": true })).unwrap_err();
    assert!(error.to_string().contains("unknown field `dry-run`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_cannot_be_applied_fails_the_invocation() {
    let service = Service::start().await;
    service.land(0, 0, &[click(1, 0)]).await;
    service.compact_and_settle().await;
    service.sql("DROP TABLE loads SYNC").await;
    let mut lambda = Lambda::start(PROGRAM, &service.environment());
    let error = lambda.invoke(&json!({})).unwrap_err();
    assert!(error.to_string().contains("not every rule could be applied: abandoned loads: "), "{error}");
}

#[test]
fn a_wrong_variable_is_named_with_what_would_be_right() {
    let at = [("OBJECTS_URL", "s3://bucket"), ("WAREHOUSE_URL", "http://u:p@127.0.0.1:1/?database=c")];
    assert_refused(PROGRAM, &[], "OBJECTS_URL is not set: s3://BUCKET names the bucket");
    assert_refused(PROGRAM, &at[..1], "WAREHOUSE_URL is not set: http://USER:PASSWORD@HOST:8123");
    for (variable, right) in [
        (("RAW_EXPIRY", "move"), "RAW_EXPIRY=\"move\" is wrong: delete, or tag"),
        (("RAW_RETENTION_DAYS", "0"), "RAW_RETENTION_DAYS=\"0\" is wrong: days from 1 to 3650"),
        (("INBOX_RETENTION_DAYS", "x"), "INBOX_RETENTION_DAYS=\"x\" is wrong: days from 1 to 36500"),
        (("QUARANTINE_RETENTION_DAYS", "-1"), "QUARANTINE_RETENTION_DAYS=\"-1\" is wrong: days from 1 to 36500"),
        (("LAKE_DAYS", "30"), "LAKE_DAYS=\"30\" is wrong: days from 31 to 36500, or nothing to keep all"),
    ] {
        assert_refused(PROGRAM, &[&at[..], &[variable]].concat(), right);
    }
}
