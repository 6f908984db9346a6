//! Every limit: what reaches it is taken, what passes it is refused or rejected, and the answer names it.

use crate::service::{assert_problem, json, post, service};

/// A custom event of `size` bytes.
fn sized(size: usize) -> String {
    let event = |text: &str| format!(r#"{{"action":"custom","name":"n","user_id":"u","a":"{text}"}}"#);
    event(&"x".repeat(size - event("").len()))
}

/// An event whose JSON is nested `depth` deep.
fn nested(depth: usize) -> String {
    let inner = format!("{}1{}", "{\"d\":".repeat(depth - 1), "}".repeat(depth - 1));
    format!(r#"{{"action":"custom","name":"n","user_id":"u","a":{inner}}}"#)
}

#[tokio::test]
async fn an_event_of_32_kib_and_one_nested_32_deep_are_the_largest() {
    let (collector, log) = service();
    let batch = [sized(32 << 10), sized((32 << 10) + 1), nested(32), nested(33)].join(",");
    let response = collector.handle(post("/v1/events?writeKey=k", format!("[{batch}]")), None).await;
    assert_eq!(response.status(), 200);
    let fates: Vec<_> = json(&response)["results"].as_array().unwrap().clone();
    let codes: Vec<_> = fates.iter().map(|fate| (fate["result"] == "rejected").then(|| fate["reasons"][0]["code"].clone())).collect();
    assert_eq!(codes, [None, Some("too_large".into()), None, Some("too_deep".into())]);
    assert_eq!((log.events().len(), log.rejections().len()), (2, 2));
}

#[tokio::test]
async fn a_body_of_1_mib_with_500_events_is_the_largest() {
    let (collector, log) = service();
    let event = r#"{"action":"custom","name":"n","user_id":"u"}"#;
    let full = |count: usize| format!("[{}]", vec![event; count].join(","));
    assert_eq!(collector.handle(post("/v1/events?writeKey=k", full(500)), None).await.status(), 200);
    assert_problem(&collector.handle(post("/v1/events?writeKey=k", full(501)), None).await, 413, "too_many_events");
    let wide = |size: usize| format!("[{event}{}]", " ".repeat(size - event.len() - 2));
    assert_eq!(collector.handle(post("/v1/events?writeKey=k", wide(1 << 20)), None).await.status(), 200);
    let over = collector.handle(post("/v1/events?writeKey=k", wide((1 << 20) + 1)), None).await;
    assert_problem(&over, 413, "body_too_large");
    assert!(json(&over)["detail"].as_str().unwrap().contains("1048576"));
    assert_eq!(log.events().len(), 501);
}

#[tokio::test]
async fn a_body_nested_deeper_than_64_is_refused_whole() {
    let (collector, log) = service();
    let deep = |depth: usize| format!(r#"{{"batch":[{}]}}"#, nested(depth));
    for depth in [32, 62] {
        assert_eq!(collector.handle(post("/v1/events?writeKey=k", deep(depth)), None).await.status(), 200);
    }
    assert_problem(&collector.handle(post("/v1/events?writeKey=k", deep(63)), None).await, 400, "body_too_deep");
    assert_eq!((log.events().len(), log.rejections().len()), (1, 1));
}

#[tokio::test]
async fn a_name_is_cut_to_200_characters_and_the_event_kept() {
    let (collector, log) = service();
    let named = |length: usize| {
        let name = "ы".repeat(length);
        format!(r#"{{"action":"click","name":"{name}","element_id":"{name}","user_id":"{name}","session_id":"{name}"}}"#)
    };
    let response = collector.handle(post("/v1/events?writeKey=k", format!("[{},{}]", named(200), named(201))), None).await;
    let fates = json(&response)["results"].clone();
    let truncated = |fate: usize| fates[fate]["reasons"].as_array().unwrap().iter().filter(|r| r["code"] == "field_truncated").count();
    assert_eq!((truncated(0), truncated(1)), (0, 4), "{fates}");
    for event in log.events() {
        for text in [event.name, event.element_id, event.user_id, event.session_id] {
            assert_eq!(text.unwrap().chars().count(), 200);
        }
    }
}
