//! Bodies that are hostile, and a log that takes nothing.

use crate::service::{assert_problem, json, post, service};
use bytes::Bytes;
use clickstream_log::{EVENTS, REJECTED};
use clickstream_testkit::hostile;
use http::Request;
use proptest::prelude::*;

#[tokio::test]
async fn every_hostile_body_is_told_what_is_wrong() {
    let (collector, log) = service();
    for hostile in hostile::bodies() {
        let mut request = Request::post("/v1/batch?writeKey=k").header("content-type", hostile.content_type);
        if let Some(encoding) = hostile.encoding {
            request = request.header("content-encoding", encoding);
        }
        let response = collector.handle(request.body(hostile.body.into()).unwrap(), None).await;
        assert_eq!(response.status(), hostile.status, "{}: {:?}", hostile.name, response.body());
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{}", hostile.name);
        let detail = json(&response)["detail"].as_str().unwrap().to_owned();
        assert!(detail.len() > 15, "{}: {detail}", hostile.name);
    }
    assert!(log.events().is_empty() && log.rejections().is_empty());
}

#[tokio::test]
async fn each_kind_of_wrong_body_has_its_code() {
    let (collector, _) = service();
    let cases: [(&str, &[u8], u16, &str); 9] = [
        ("/v1/batch", b"{\"batch\":", 400, "body_not_json"),
        ("/v1/batch", b"{\"batch\":[\"\xff\"]}", 400, "body_not_utf8"),
        ("/v1/batch", b"{\"batch\":7}", 422, "body_wrong_shape"),
        ("/v1/batch", b"{}", 422, "body_wrong_shape"),
        ("/v1/batch", b"[]", 422, "body_wrong_shape"),
        ("/v1/track", b"\"text\"", 422, "body_wrong_shape"),
        ("/v1/events", b"null", 422, "body_wrong_shape"),
        ("/clicks", br#"{"events":7}"#, 422, "body_wrong_shape"),
        ("/v1/track", br#"{"a":"\ud800"#, 400, "body_not_json"),
    ];
    for (path, body, status, code) in cases {
        let response = collector.handle(post(&format!("{path}?writeKey=k"), body.to_vec()), None).await;
        assert_problem(&response, status, code);
    }
    let deep = "{\"a\":".repeat(65) + "1" + &"}".repeat(65);
    assert_problem(&collector.handle(post("/v1/events?writeKey=k", deep), None).await, 400, "body_too_deep");
    let many = format!("[{}{{}}]", "{},".repeat(500));
    assert_problem(&collector.handle(post("/v1/events?writeKey=k", many), None).await, 413, "too_many_events");
}

#[tokio::test]
async fn an_event_as_large_as_a_body_is_rejected_and_not_asked_for_again() {
    let (collector, log) = service();
    // As JSON in JSON the original takes more than a record of the log holds.
    let event = format!("{{\"action\":\"custom\",\"a\":\"{}\"}}", "\\\"".repeat(500_000));
    let response = collector.handle(post("/v1/events?writeKey=k", event.clone()), None).await;
    assert_eq!(response.status(), 200);
    assert_eq!(json(&response)["results"][0]["reasons"][0]["code"], "too_large");
    assert!(event.starts_with(&log.rejections()[0].original));
}

#[tokio::test]
async fn while_the_log_takes_nothing_the_request_may_be_sent_again_whole() {
    let (collector, log) = service();
    let batch = r#"{"writeKey":"k","batch":[
        {"type":"track","event":"e","messageId":"a","anonymousId":"v"},
        {"type":"nothing","messageId":"b"}]}"#;
    for topic in [EVENTS, REJECTED] {
        log.fill(Some(topic));
        let response = collector.handle(post("/v1/batch", batch), None).await;
        assert_problem(&response, 503, "unavailable");
        assert_eq!(response.headers()["retry-after"], "5");
        assert!(log.events().is_empty(), "no event stands of a request that is to be sent again");
    }
    log.fill(None);
    assert_eq!(collector.handle(post("/v1/batch", batch), None).await.status(), 200);
    assert_eq!(log.events().len(), 1);
}

fn answers(path: &str, encoding: Option<&str>, body: Vec<u8>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (collector, log) = service();
    let mut request = Request::post(path);
    if let Some(encoding) = encoding {
        request = request.header("content-encoding", encoding);
    }
    let response = runtime.block_on(collector.handle(request.body(Bytes::from(body)).unwrap(), None));
    let status = response.status();
    prop_assert!(status == 200 || status.is_client_error(), "{status}");
    let kept = log.events().len() + log.rejections().len();
    if status == 200 {
        prop_assert_eq!(json(&response)["results"].as_array().unwrap().len(), kept);
    } else {
        prop_assert_eq!(kept, 0);
    }
    Ok(())
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
    ];
    let names = prop_oneof![
        "type|event|messageId|userId|context|properties|timestamp|sentAt|action|event_id|batch|events|payload|id|ip|x",
        ".{0,3}"
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::Array),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

const PATHS: [&str; 5] =
    ["/v1/batch?writeKey=k", "/v1/track?writeKey=k", "/v1/events?writeKey=k", "/clicks?writeKey=k", "/v1/identify?writeKey=k"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_answered(
        path in prop::sample::select(&PATHS[..]),
        encoding in prop::sample::select(&[None, Some("gzip"), Some("deflate"), Some("br"), Some("zstd")][..]),
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        answers(path, encoding, body)?;
    }

    #[test]
    fn any_json_is_answered_event_by_event(path in prop::sample::select(&PATHS[..]), value in value(), batch in any::<bool>()) {
        let value = if batch { serde_json::json!({ "batch": [value.clone(), value] }) } else { value };
        answers(path, None, serde_json::to_vec(&value).unwrap())?;
    }
}
