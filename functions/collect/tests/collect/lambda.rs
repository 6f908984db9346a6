//! The Lambda as AWS runs it.

use std::{path::Path, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clickstream_event::Event;
use clickstream_log::{EVENTS, Log as _, sqlite::SqliteLog};
use clickstream_testkit::{
    runtime_api::{Lambda, refusal},
    sasl_broker::SaslBroker,
    triggers::recorded,
};
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

/// A recorded request with this body.
fn carried(by: &str, body: &str) -> Value {
    let mut event = recorded(by);
    event["body"] = if event["isBase64Encoded"] == true { STANDARD.encode(body).into() } else { body.into() };
    event
}

/// A body with the event `id`.
fn batch(id: usize) -> String {
    json!({ "batch": [{ "type": "track", "event": "e", "messageId": id.to_string(), "anonymousId": "a" }] }).to_string()
}

/// What stands in the log of a folder.
async fn logged(folder: &Path) -> Vec<Event> {
    let log = SqliteLog::open(folder).unwrap();
    let mut logged = Vec::new();
    for extent in log.extents(EVENTS).await.unwrap() {
        logged.extend(log.read(EVENTS, extent.partition, 0, 100, 1 << 20).await.unwrap());
    }
    logged.iter().map(|logged| serde_json::from_slice(&logged.record.value).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_gateway_is_answered_in_its_own_form() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    let mut lambda = Lambda::start(PROGRAM, &[("LOG_URL", &url), ("SITES", "shop:k3y")]);
    let gateways = ["http-api-v2", "function-url", "rest-api-v1", "alb", "alb-multi-value"];
    for (id, gateway) in gateways.into_iter().enumerate() {
        let answer = lambda.invoke(&carried(gateway, &batch(id))).unwrap();
        assert_eq!((&answer["statusCode"], &answer["isBase64Encoded"]), (&json!(200), &json!(false)), "{gateway}: {answer}");
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["results"][0]["messageId"], id.to_string(), "{gateway}: {answer}");
        let (single, many) = (&answer["headers"]["content-type"], &answer["multiValueHeaders"]["content-type"][0]);
        let is_json = |value: &Value| value.as_str().is_some_and(|value| value.starts_with("application/json"));
        let forms = (is_json(single), is_json(many), answer["statusDescription"].as_str());
        let wanted = match gateway {
            "rest-api-v1" => (false, true, None),
            gateway if gateway.starts_with("alb") => (true, true, Some("200 OK")),
            _ => (true, false, None),
        };
        assert_eq!(forms, wanted, "{gateway}: {answer}");
    }
    let mut image = recorded("alb");
    image["httpMethod"] = json!("GET");
    image["path"] = json!("/pixel/v1/page");
    image["queryStringParameters"] = json!({ "writeKey": "k3y", "userId": "u%20v" });
    let image = lambda.invoke(&image).unwrap();
    assert_eq!(
        (&image["statusCode"], &image["isBase64Encoded"], &image["statusDescription"]),
        (&json!(200), &json!(true), &json!("200 OK"))
    );
    drop(lambda);
    let events = logged(folder.path()).await;
    assert_eq!(events.len(), gateways.len() + 1);
    assert!(events.iter().all(|event| event.ip.as_deref() == Some("203.0.113.0")), "{events:?}");
    assert!(events.iter().any(|event| event.user_id.as_deref() == Some("u v")), "{events:?}");
}

#[test]
fn an_invocation_is_counted_and_its_log_lines_name_it_and_its_events() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    let environment = [("LOG_URL", url.as_str()), ("SITES", "shop:k3y"), ("RUST_LOG", "warn,clickstream_collect=debug")];
    let mut lambda = Lambda::start(PROGRAM, &environment);
    let secret = "b0dy-0f-the-event";
    let event = json!({ "batch": [{ "type": "track", "event": secret, "messageId": "1", "anonymousId": "a" }] }).to_string();
    let request_id = lambda.send(&carried("http-api-v2", &event), None);
    let answer: Value = serde_json::from_str(lambda.answer().unwrap()["body"].as_str().unwrap()).unwrap();
    let event_id = answer["results"][0]["event_id"].as_str().unwrap();

    let line = lambda.log(|line| line["message"] == "kept");
    assert!(line["event_ids"].as_str().unwrap().contains(event_id), "{line}");
    let span = &line["span"];
    assert_eq!((&span["request_id"], &span["function"]), (&json!(request_id), &json!("collect")), "{line}");
    assert!(span["trace"].as_str().unwrap().starts_with("Root=1-"), "{line}");
    assert!(!lambda.said().contains(secret), "{}", lambda.said());

    let metrics = lambda.metrics(1);
    assert_eq!(metrics.len(), 1, "{metrics:?}");
    let directive = &metrics[0]["_aws"]["CloudWatchMetrics"][0];
    assert_eq!((&directive["Namespace"], &directive["Dimensions"]), (&json!("Clickstream"), &json!([["function"]])));
    // What Lambda calls the function where it is deployed.
    assert_eq!((&metrics[0]["function"], &metrics[0]["request_id"]), (&json!("function"), &json!(request_id)));
    assert_eq!((&metrics[0]["clickstream_events_total"], &metrics[0]["clickstream_requests_total"]), (&json!(1.0), &json!(1.0)));
    assert!(metrics[0]["clickstream_request_seconds"].is_number(), "{}", metrics[0]);
}

#[test]
fn metrics_of_many_invocations_are_one_line_where_that_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    let mut lambda = Lambda::start(PROGRAM, &[("LOG_URL", &url), ("SITES", "shop:k3y"), ("METRICS_SECONDS", "2")]);
    for id in 0..3 {
        lambda.invoke(&carried("function-url", &batch(id))).unwrap();
    }
    std::thread::sleep(Duration::from_secs(2));
    lambda.invoke(&carried("function-url", &batch(3))).unwrap();
    let counted: Vec<_> = lambda.metrics(2).iter().map(|line| line["clickstream_events_total"].clone()).collect();
    assert_eq!(counted, [json!(1.0), json!(3.0)]);
    let said = refusal(PROGRAM, &[("LOG_URL", &url), ("METRICS_SECONDS", "minute")]);
    assert!(said.contains("METRICS_SECONDS=\"minute\" is wrong: seconds from 0 to 3600"), "{said}");
}

#[test]
fn it_is_ready_soon_after_it_was_started() {
    let times = |environment: &[(&str, &str)]| {
        let mut times: Vec<Duration> = (0..5).map(|_| Lambda::start(PROGRAM, environment).start_up()).collect();
        times.sort_unstable();
        times
    };
    // As on Lambda: clients of Kafka and of the bucket are made, and nothing is connected.
    let times = times(&[("LOG_URL", "kafka://127.0.0.1:1"), ("OBJECTS_URL", "s3://example-clickstream"), ("SITES", "shop:k3y")]);
    println!("start to first question for an event: {:?}, at best {:?}", times[2], times[0]);
    // Beside other tests; `bench/init.py` measures.
    assert!(times[0] < Duration::from_millis(500), "{times:?}");
}

#[test]
fn amazon_msk_is_shown_a_token_that_is_signed_by_iam() {
    let broker = SaslBroker::start();
    let url = format!("kafka://{}?security.protocol=sasl_plaintext&sasl.mechanism=AWS_MSK_IAM&message.timeout.ms=1000", broker.address);
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "wJalrEXAMPLEKEY"), ("AWS_SESSION_TOKEN", "s3ss10n")];
    let environment = [&[("LOG_URL", url.as_str()), ("AWS_REGION", "eu-central-1"), ("SITES", "shop:k3y")], &keys[..]].concat();
    let mut lambda = Lambda::start(PROGRAM, &environment);
    lambda.send(&carried("function-url", &batch(1)), None);
    let token = broker.token(Duration::from_secs(30));
    let address = String::from_utf8(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&token).unwrap()).unwrap();
    assert!(address.starts_with("https://kafka.eu-central-1.amazonaws.com/?Action=kafka-cluster%3AConnect&X-Amz-"), "{address}");
    for part in ["X-Amz-Credential=AKIDEXAMPLE%2F", "X-Amz-Security-Token=s3ss10n", "X-Amz-Expires=900", "&User-Agent=clickstream%2F"] {
        assert!(address.contains(part), "{address}");
    }
    // Refused, the events are not taken.
    assert_eq!(lambda.answer().unwrap()["statusCode"], 503);
    assert!(!lambda.said().contains("wJalrEXAMPLEKEY") && !lambda.said().contains(&token), "{}", lambda.said());
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
