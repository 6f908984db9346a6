//! The Lambda as AWS runs it.
#![expect(clippy::unwrap_used, reason = "tests")]

use clickstream_event::{Micros, Reason, ReasonCode, Rejection, Shape, Source};
use clickstream_objects::embedded::EmbeddedS3;
use clickstream_store::{LoggedRejection, Retention};
use clickstream_testkit::runtime_api::{Lambda, assert_refused};
use serde_json::{Value, json};
use uuid::Uuid;

const PROGRAM: &str = env!("CARGO_BIN_EXE_clickstream-query");
const TOKEN: &str = "0123456789abcdef";

fn get(path: &str, query: &str, token: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": { "authorization": format!("Bearer {token}"), "host": "api.example" },
        "requestContext": {
            "accountId": "1", "apiId": "a", "domainName": "api.example", "requestId": "r", "routeKey": "$default", "stage": "$default",
            "time": "24/Nov/2026:10:00:00 +0000", "timeEpoch": 1_795_514_400_000_i64,
            "http": { "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "93.184.216.34", "userAgent": "curl/8" }
        },
        "isBase64Encoded": false
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_answered_to_who_shows_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("store").display());
    let store = clickstream_store::connect(&url, Retention::default()).await.unwrap();
    let id = Uuid::from_u128(1);
    let rejection = Rejection {
        site_id: Some("shop".to_owned()),
        event_id: Some(id),
        message_id: None,
        received_at: Micros::now(),
        source: Source::Http,
        shape: Shape::Segment,
        reasons: vec![Reason::new(ReasonCode::ActionUnknown, "type", "none")],
        original: "{}".to_owned(),
    };
    store.put_rejections(&[LoggedRejection { log_partition: 0, log_offset: 5, rejection }]).await.unwrap();
    drop(store);
    let s3 = EmbeddedS3::start(&folder.path().join("objects"), "clickstream").await.unwrap();
    let config = s3.config();
    let objects = format!("s3://{}?endpoint={}&region={}", config.bucket, config.endpoint.as_deref().unwrap(), config.region);
    let environment = [
        ("STORE_URL", url.as_str()),
        ("OBJECTS_URL", objects.as_str()),
        ("AWS_ACCESS_KEY_ID", config.access_key.as_deref().unwrap()),
        ("AWS_SECRET_ACCESS_KEY", config.secret_key.as_deref().unwrap()),
        ("WAREHOUSE_URL", "http://127.0.0.1:9"),
        ("LOG_ID", "log"),
        ("ADMIN_TOKEN", TOKEN),
    ];
    let asked = tokio::task::spawn_blocking({
        let environment = environment.map(|(name, value)| (name, value.to_owned()));
        move || {
            let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let mut lambda = Lambda::start(PROGRAM, &environment);
            let path = format!("/v1/events/{id}/trace");
            let mut ask = |path: &str, query: &str, token: &str| lambda.invoke(&get(path, query, token)).unwrap();
            (
                ask(&path, "site=shop", TOKEN),
                ask(&path, "", "wrong"),
                ask("/v1/live", "", TOKEN),
                ask("/v1/reports/elements", "site=shop", TOKEN),
            )
        }
    });
    let (traced, refused, live, report) = asked.await.unwrap();
    assert_eq!(traced["statusCode"], 200, "{traced}");
    let trace: Value = serde_json::from_str(traced["body"].as_str().unwrap()).unwrap();
    assert_eq!((&trace["verdict"], &trace["log"]["offset"]), (&json!("rejected"), &json!(5)));
    let statuses = [&refused, &live, &report].map(|answer| answer["statusCode"].as_u64().unwrap());
    assert_eq!(statuses, [401, 501, 503]);
    s3.shutdown().await;
}

#[test]
fn a_wrong_variable_is_named_with_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().display());
    assert_refused(PROGRAM, &[], "ADMIN_TOKEN is not set: the token that readers show");
    assert_refused(PROGRAM, &[("ADMIN_TOKEN", "short")], "ADMIN_TOKEN is wrong: a token has 16 characters or more");
    assert_refused(PROGRAM, &[("ADMIN_TOKEN", TOKEN)], "STORE_URL is not set: sqlite:FOLDER");
    assert_refused(PROGRAM, &[("ADMIN_TOKEN", TOKEN), ("STORE_URL", &store), ("OBJECTS_URL", "x")], "OBJECTS_URL");
    let found = [("ADMIN_TOKEN", TOKEN), ("STORE_URL", store.as_str()), ("OBJECTS_URL", "s3://bucket"), ("WAREHOUSE_URL", "x")];
    assert_refused(PROGRAM, &found, "WAREHOUSE_URL is wrong");
}
