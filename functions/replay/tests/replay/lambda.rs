//! The Lambda as AWS runs it.

use clickstream_event::{Micros, Reason, ReasonCode, Rejection, Shape, Source};
use clickstream_log::{EVENTS, Log as _, REJECTED, Record, sqlite::SqliteLog};
use clickstream_testkit::{
    runtime_api::{Lambda, refusal},
    s3::Bucket,
};
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_clickstream-replay");

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_record_is_played_again() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    let rejection = Rejection {
        site_id: Some("shop".to_owned()),
        event_id: None,
        message_id: None,
        received_at: Micros::now(),
        source: Source::Http,
        shape: Shape::Segment,
        reasons: vec![Reason::new(ReasonCode::ActionUnknown, "type", "none")],
        original: r#"{"type":"track","event":"e","messageId":"1","userId":"u"}"#.to_owned(),
    };
    let log = clickstream_log::connect(&url).await.unwrap();
    let record = Record { key: None, value: serde_json::to_vec(&rejection).unwrap().into(), headers: Vec::new() };
    log.append(REJECTED, vec![record]).await.unwrap();
    drop(log);

    let bucket = Bucket::start().await;
    let others = [("LOG_URL", url.as_str()), ("WAREHOUSE_URL", "http://127.0.0.1:9"), ("SITES", "shop:k")];
    let mut lambda = Lambda::start(PROGRAM, &[&bucket.environment()[..], &others[..]].concat());
    let report = lambda.invoke(&json!({ "source": { "kind": "rejected" }, "dry_run": true })).unwrap();
    assert_eq!((&report["taken"], &report["dry_run"]), (&json!(1), &json!(true)), "{report}");
    let report = lambda.invoke(&json!({ "source": { "kind": "rejected" } })).unwrap();
    assert_eq!((&report["taken"], &report["dry_run"]), (&json!(1), &json!(false)), "{report}");
    let error = lambda.invoke(&json!({ "source": { "kind": "raw", "partition": 9 } })).unwrap_err();
    assert!(error["errorMessage"].as_str().unwrap().contains("no partition 9"), "{error}");
    let days = json!({ "source": { "kind": "days", "from_day": "2026-11-24", "to_day": "2026-11-25" }, "dry_run": true });
    let report = lambda.invoke(&days).unwrap_err();
    assert!(report["errorMessage"].as_str().unwrap().contains("ClickHouse"), "{report}");
    let days = json!({ "source": { "kind": "days", "from_day": "2026-11-24", "to_day": "tomorrow" } });
    let error = lambda.invoke(&days).unwrap_err();
    assert!(error["errorMessage"].as_str().unwrap().contains(r#""tomorrow" is no day: wanted one such as 2026-11-24"#), "{error}");
    drop(lambda);

    let log = SqliteLog::open(folder.path()).unwrap();
    assert_eq!(log.extents(EVENTS).await.unwrap().iter().map(|e| e.end).sum::<u64>(), 1);
}

#[test]
fn a_missing_variable_is_named_with_what_would_be_right() {
    let text = refusal(PROGRAM, &[]);
    assert!(text.contains("LOG_URL is not set: sqlite:FOLDER"), "{text}");
}
