//! What Segment's clients ask beside sending events.

use crate::service::{assert_problem, json, post, service, sites};
use bytes::Bytes;
use clickstream_collect::{Collector, Limits};
use http::Request;
use serde_json::json;

fn ask(path: &str) -> Request<Bytes> {
    Request::get(path).header("host", "127.0.0.1:8080").header("origin", "https://any.example").body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn settings_of_a_known_key_send_events_back_here() {
    let (collector, _) = service();
    let response = collector.handle(ask("/v1/projects/k/settings"), None).await;
    assert_eq!(response.status(), 200);
    let headers = response.headers();
    assert_eq!(
        (&headers["access-control-allow-origin"], &headers["cache-control"]),
        (&"*".parse().unwrap(), &"public, max-age=60".parse().unwrap())
    );
    let segment = &json(&response)["integrations"]["Segment.io"];
    assert_eq!((&segment["apiKey"], &segment["apiHost"], &segment["protocol"]), (&json!("k"), &json!("127.0.0.1:8080/v1"), &json!("http")));
    // A key of characters that addresses escape.
    assert_eq!(collector.handle(ask("/v1/projects/%6B/settings"), None).await.status(), 200);
    for key in ["x", "kk", "%FF", "shop"] {
        assert_problem(&collector.handle(ask(&format!("/v1/projects/{key}/settings")), None).await, 404, "write_key_unknown");
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_settings_name_what_the_browser_sees() {
    let (_, log) = service();
    let collector = Collector::new(log, sites(), Limits { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..Limits::default() });
    let mut request = ask("/v1/projects/k/settings");
    request.headers_mut().insert("x-forwarded-host", "stats.example".parse().unwrap());
    request.headers_mut().insert("x-forwarded-proto", "https".parse().unwrap());
    for (peer, host, scheme) in [("10.1.1.1", "stats.example/v1", "https"), ("93.184.216.34", "127.0.0.1:8080/v1", "http")] {
        let response = collector.handle(request.clone(), Some(peer.parse().unwrap())).await;
        let segment = &json(&response)["integrations"]["Segment.io"];
        assert_eq!((&segment["apiHost"], &segment["protocol"]), (&json!(host), &json!(scheme)));
    }
}

#[tokio::test]
async fn measurements_of_the_client_are_taken_without_a_key_and_kept_nowhere() {
    let (collector, log) = service();
    let body = r#"{"series":[{"type":"Counter","metric":"analytics_js.invoke","value":1,"tags":{"method":"load"}}]}"#;
    let request = Request::post("/v1/m").header("content-type", "text/plain").body(Bytes::from(body)).unwrap();
    let response = collector.handle(request, None).await;
    assert_eq!((response.status().as_u16(), response.body().len()), (204, 0));
    assert_problem(&collector.handle(post("/v1/m", "{}"), None).await, 422, "body_wrong_shape");
    assert_problem(&collector.handle(post("/v1/m", "{"), None).await, 400, "body_not_json");
    assert!(log.events().is_empty() && log.rejections().is_empty());
}

#[tokio::test]
async fn who_prefers_202_gets_it_with_the_same_answer() {
    let (collector, log) = service();
    let event = r#"{"event":"e","messageId":"1","anonymousId":"a"}"#;
    for (prefer, status) in
        [("respond-async", 202), ("handling=lenient, Respond-Async; wait=10", 202), ("return=minimal", 200), ("x-respond-async", 200)]
    {
        let mut request = post("/v1/t?writeKey=k", event);
        request.headers_mut().insert("prefer", prefer.parse().unwrap());
        let response = collector.handle(request, None).await;
        assert_eq!(response.status(), status, "{prefer}");
        assert_eq!(response.headers().contains_key("preference-applied"), status == 202);
        assert_eq!(json(&response)["results"][0]["messageId"], "1");
    }
    assert_eq!(log.events().len(), 4, "they are kept before the answer all the same");
}
