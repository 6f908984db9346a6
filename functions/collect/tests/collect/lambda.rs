//! The Lambda as AWS runs it.

use clickstream_event::Event;
use clickstream_log::{EVENTS, Log as _, sqlite::SqliteLog};
use clickstream_testkit::runtime_api::{Lambda, refusal};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_clickstream-collect");

/// An event of API Gateway's HTTP API, payload format 2.0.
fn http(path: &str, query: &str, body: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": { "content-type": "application/json", "host": "api.example" },
        "requestContext": {
            "accountId": "1", "apiId": "a", "domainName": "api.example", "requestId": "r", "routeKey": "$default", "stage": "$default",
            "time": "24/Nov/2026:10:00:00 +0000", "timeEpoch": 1_795_514_400_000_i64,
            "http": { "method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "93.184.216.34", "userAgent": "curl/8" }
        },
        "body": body, "isBase64Encoded": false
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_through_the_gateway_is_logged_and_answered() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    let mut lambda = Lambda::start(PROGRAM, &[("LOG_URL", &url), ("SITES", "shop:k")]);
    let event = r#"{"action":"click","element_id":"buy","user_id":"u","event_id":"1"}"#;
    let answer = lambda.invoke(&http("/v1/events", "writeKey=k", event)).unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["results"][0]["messageId"], "1");
    let refused = lambda.invoke(&http("/v1/events", "writeKey=x", event)).unwrap();
    assert_eq!(refused["statusCode"], 401, "{refused}");
    drop(lambda);

    let log = SqliteLog::open(folder.path()).unwrap();
    let mut logged = Vec::new();
    for extent in log.extents(EVENTS).await.unwrap() {
        logged.extend(log.read(EVENTS, extent.partition, 0, 10, 1 << 20).await.unwrap());
    }
    assert_eq!(logged.len(), 1);
    let event: Event = serde_json::from_slice(&logged[0].record.value).unwrap();
    assert_eq!((event.site_id.as_str(), event.ip.as_deref()), ("shop", Some("93.184.216.0")));
}

#[test]
fn an_image_comes_whole_through_the_gateway_and_settings_name_its_address() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    let mut lambda = Lambda::start(PROGRAM, &[("LOG_URL", &url), ("SITES", "shop:k")]);
    let get = |path: &str, query: &str| {
        let mut event = http(path, query, "");
        event["requestContext"]["http"]["method"] = json!("GET");
        event
    };
    let image = lambda.invoke(&get("/pixel/v1/page", "writeKey=k&userId=u")).unwrap();
    assert_eq!((&image["statusCode"], &image["isBase64Encoded"]), (&json!(200), &json!(true)), "{image}");
    assert!(image["body"].as_str().unwrap().starts_with("R0lGODlhAQAB"), "{image}");
    assert_eq!(image["headers"].get("x-clickstream-problem"), None, "{image}");
    let settings = lambda.invoke(&get("/v1/projects/k/settings", "")).unwrap();
    let body: Value = serde_json::from_str(settings["body"].as_str().unwrap()).unwrap();
    let segment = &body["integrations"]["Segment.io"];
    assert_eq!((&segment["apiHost"], &segment["protocol"]), (&json!("api.example/v1"), &json!("https")), "{settings}");
}

#[test]
fn the_sites_file_says_who_may_write() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("log").display());
    let file = folder.path().join("sites.toml");
    std::fs::write(&file, "[[site]]\nid = \"shop\"\nwrite_keys = [\"k3y\", \"0ld\"]\n").unwrap();
    let mut lambda = Lambda::start(PROGRAM, &[("LOG_URL", &url), ("SITES_FILE", file.to_str().unwrap())]);
    let event = r#"{"action":"click","element_id":"buy","user_id":"u","event_id":"1"}"#;
    let mut status = |key: &str| lambda.invoke(&http("/v1/events", &format!("writeKey={key}"), event)).unwrap()["statusCode"].clone();
    assert_eq!([status("k3y"), status("0ld"), status("n0ne")], [200, 200, 401]);
}

#[test]
fn a_wrong_variable_is_named_with_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    let says = |environment: &[(&str, &str)], name: &str, right: &str| {
        let text = refusal(PROGRAM, environment);
        assert!(text.contains(name) && text.contains(right), "{text}");
    };
    says(&[], "LOG_URL is not set", "sqlite:FOLDER");
    says(&[("LOG_URL", "ftp://x")], "LOG_URL is wrong", "sqlite:FOLDER");
    says(&[("LOG_URL", &url), ("SITES", "shop")], "SITES=", "shop:k3y");
    says(&[("LOG_URL", &url), ("TRUSTED_PROXIES", "x")], "TRUSTED_PROXIES=", "10.0.0.0/8");
}
