//! What is taken, from whom, and what is answered.

use std::sync::Arc;

use crate::service::{assert_problem, json, post, service, sites};
use bytes::Bytes;
use clickstream_collect::{Collector, Limits};
use clickstream_event::{Action, Shape};
use clickstream_log::{EVENTS, Log as _, REJECTED, sqlite::SqliteLog};
use clickstream_telemetry::LiveFeed;
use http::{Method, Request};
use serde_json::{Value, json};

const BATCH: &str = r#"{"writeKey":"k","sentAt":"2026-11-24T10:00:00Z","batch":[
    {"type":"track","event":"element_clicked","messageId":"a","anonymousId":"v","properties":{"element_id":"buy"}},
    7,
    {"type":"track","event":"element_clicked","messageId":"b","anonymousId":"v"},
    {"type":"page","anonymousId":"v"},
    {"type":"track","event":"element_clicked","messageId":"a","anonymousId":"v","properties":{"element_id":"buy"}}
]}"#;

#[tokio::test]
async fn each_event_of_a_batch_is_answered_in_the_order_sent() {
    let (collector, log) = service();
    let response = collector.handle(post("/v1/batch", BATCH), None).await;
    assert_eq!(response.status(), 200);
    let answer = json(&response);
    assert_eq!(answer["success"], true);
    let results = answer["results"].as_array().unwrap();
    let ids: Vec<&Value> = results.iter().map(|r| &r["messageId"]).collect();
    assert_eq!(ids, [&json!("a"), &Value::Null, &json!("b"), &Value::Null, &json!("a")]);
    assert_eq!(results[1]["result"], "rejected");
    assert_eq!(results[1]["reasons"][0]["code"], "malformed");
    assert_eq!(results[2]["result"], "rejected");
    assert_eq!(results[2]["reasons"][0]["code"], "element_missing");
    assert!(results[3]["reasons"].as_array().unwrap().iter().any(|r| r["code"] == "id_assigned"));
    // A repeat within a request is taken, as the same event; downstream counts it once.
    assert_eq!(results[0]["event_id"], results[4]["event_id"]);
    assert_eq!((log.events().len(), log.rejections().len()), (3, 2));
    let kept = log.events();
    assert_eq!(results[0]["event_id"], json!(kept[0].event_id));
    assert_eq!(log.rejections()[0].original, "7");
    assert!(log.keys().iter().flatten().any(|k| *k == kept[0].record_key()));
}

#[tokio::test]
async fn every_path_takes_its_shape() {
    let (collector, log) = service();
    let segment = r#"{"writeKey":"k","userId":"u","event":"e"}"#;
    for path in ["track", "page", "screen", "identify", "group", "alias", "t", "p", "s", "i", "g", "a"] {
        assert_eq!(collector.handle(post(&format!("/v1/{path}"), segment), None).await.status(), 200, "{path}");
    }
    let batch = r#"{"writeKey":"k","batch":[{"type":"track","userId":"u","event":"e"}]}"#;
    for path in ["batch", "b", "import"] {
        assert_eq!(collector.handle(post(&format!("/v1/{path}"), batch), None).await.status(), 200, "{path}");
    }
    let canonical = r#"{"action":"click","element_id":"b","user_id":"u"}"#;
    let clicks = r#"{"id":"1","type":"CLICK","createdAt":"NOW","userId":"u","payload":{"elementId":"b"}}"#;
    let clicks = clicks.replace("NOW", &clickstream_event::Micros::now().to_string());
    for body in [canonical.to_owned(), format!("[{canonical}]"), format!("{{\"events\":[{canonical}]}}")] {
        assert_eq!(collector.handle(post("/v1/events?writeKey=k", body), None).await.status(), 200);
    }
    for body in [clicks.clone(), format!("[{clicks}]")] {
        assert_eq!(collector.handle(post("/clicks?writeKey=k", body), None).await.status(), 200);
    }
    assert_eq!(log.rejections(), []);
    let actions: Vec<Action> = log.events().iter().map(|e| e.action).collect();
    let (custom, page, identify, click) = (Action::Custom, Action::Page, Action::Identify, Action::Click);
    let segment = [custom, page, page, identify, custom, custom];
    assert_eq!(actions, [&segment[..], &segment, &[custom; 3], &[click; 5]].concat());
}

#[tokio::test]
async fn a_single_event_that_is_rejected_is_answered_by_its_fate() {
    let (collector, log) = service();
    let response = collector.handle(post("/v1/track?writeKey=k", r#"{"event":"e","messageId":"1"}"#), None).await;
    assert_eq!(response.status(), 200);
    assert_eq!(json(&response)["results"][0]["result"], "rejected");
    assert_eq!(log.rejections()[0].shape, Shape::Segment);
}

#[tokio::test]
async fn a_key_may_stand_in_four_places_and_must_be_known() {
    let (collector, log) = service();
    let event = r#"{"action":"custom","name":"n","user_id":"u"}"#;
    let with_key = r#"{"action":"custom","name":"n","user_id":"u","writeKey":"k"}"#;
    let mut basic = post("/v1/events", event);
    basic.headers_mut().insert("authorization", "Basic azo=".parse().unwrap());
    for request in
        [basic, post("/v1/events?writeKey=k", event), post("/v1/events", with_key), post("/v1/events", format!("[{event},{with_key}]"))]
    {
        assert_eq!(collector.handle(request, None).await.status(), 200);
    }
    assert_eq!(log.events().len(), 5);
    assert!(log.events().iter().all(|e| e.site_id == "shop" && e.properties.is_empty()));
    let missing = collector.handle(post("/v1/events", event), None).await;
    assert_problem(&missing, 401, "write_key_missing");
    assert!(missing.headers().contains_key("www-authenticate"));
    assert_problem(&collector.handle(post("/v1/events?writeKey=kk", event), None).await, 401, "write_key_unknown");
    let mut wrong = post("/v1/events?writeKey=k", event);
    wrong.headers_mut().insert("authorization", "Basic eDo=".parse().unwrap());
    assert_problem(&collector.handle(wrong, None).await, 401, "write_key_unknown");
    assert_eq!(log.events().len(), 5);
}

#[tokio::test]
async fn a_browser_asks_first_and_a_closed_site_answers_its_own_pages_alone() {
    let (collector, log) = service();
    let ask = |path: &str, origin: &str| Request::options(path).header("origin", origin).body(Bytes::new()).unwrap();
    let response = collector.handle(ask("/v1/batch", "https://any.example"), None).await;
    assert_eq!(response.status(), 204);
    let headers = response.headers();
    assert_eq!(headers["access-control-allow-origin"], "https://any.example");
    assert_eq!(headers["access-control-allow-methods"], "POST, OPTIONS");
    assert_eq!(headers["access-control-max-age"], "7200");
    let allowed = headers["access-control-allow-headers"].to_str().unwrap().to_ascii_lowercase();
    for name in ["authorization", "content-encoding", "content-type", "prefer", "x-retry-count"] {
        assert!(allowed.split(", ").any(|header| header == name), "{name}: {allowed}");
    }
    assert_eq!(headers["vary"], "Origin");
    assert!(!headers.contains_key("access-control-allow-credentials"));
    assert_problem(&collector.handle(ask("/v1/batch?writeKey=c", "https://any.example"), None).await, 403, "origin_refused");
    assert_eq!(collector.handle(ask("/v1/batch?writeKey=c", "https://closed.example"), None).await.status(), 204);
    assert_problem(&collector.handle(ask("/v1/nothing", "https://any.example"), None).await, 404, "not_found");

    let event = r#"{"writeKey":"c","action":"custom","name":"n","user_id":"u"}"#;
    let from = |origin: &str| {
        let mut request = post("/v1/events", event);
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request
    };
    let refused = collector.handle(from("https://any.example"), None).await;
    assert_problem(&refused, 403, "origin_refused");
    assert!(!refused.headers().contains_key("access-control-allow-origin"));
    assert_problem(&collector.handle(from("null"), None).await, 403, "origin_refused");
    let taken = collector.handle(from("https://closed.example"), None).await;
    assert_eq!((taken.status().as_u16(), log.events().len()), (200, 1));
    assert_eq!(taken.headers()["access-control-allow-origin"], "https://closed.example");
    assert_eq!(collector.handle(post("/v1/events", event), None).await.status(), 200, "a server has no origin");
}

#[tokio::test]
async fn another_method_or_path_is_told_what_is_right() {
    let (collector, _) = service();
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD] {
        let request = Request::builder().method(method).uri("/v1/batch").body(Bytes::new()).unwrap();
        let response = collector.handle(request, None).await;
        assert_problem(&response, 405, "method_not_allowed");
        assert_eq!(response.headers()["allow"], "POST, OPTIONS");
    }
    assert_problem(&collector.handle(post("/v2/batch", "{}"), None).await, 404, "not_found");
}

#[tokio::test]
async fn a_beacon_may_send_text_and_compress_by_the_address() {
    use std::io::Write as _;
    let (collector, log) = service();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(BATCH.as_bytes()).unwrap();
    let body = Bytes::from(packed.finish().unwrap());
    let request = Request::post("/v1/batch?compression=gzip").header("content-type", "text/plain;charset=UTF-8").body(body).unwrap();
    assert_eq!(collector.handle(request, None).await.status(), 200);
    assert_eq!(log.events().len(), 3);
}

#[tokio::test]
async fn the_visitor_is_taken_from_a_trusted_proxy_and_cut() {
    let (_, log) = service();
    let limits = Limits { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..Limits::default() };
    let collector = Collector::new(log.clone(), sites(), limits);
    let event = r#"{"writeKey":"k","action":"custom","name":"n","user_id":"u"}"#;
    let mut request = post("/v1/events", event);
    request.headers_mut().insert("x-forwarded-for", "93.184.216.34".parse().unwrap());
    request.headers_mut().insert("cf-ipcountry", "de".parse().unwrap());
    collector.handle(request.clone(), Some("10.1.1.1".parse().unwrap())).await;
    collector.handle(request, Some("93.184.215.14".parse().unwrap())).await;
    let events = log.events();
    assert_eq!((events[0].ip.as_deref(), events[0].country.as_deref()), (Some("93.184.216.0"), Some("DE")));
    assert_eq!((events[1].ip.as_deref(), events[1].country.as_deref()), (Some("93.184.215.0"), None));
}

#[tokio::test]
async fn who_watches_sees_what_was_taken() {
    let (_, log) = service();
    let feed = LiveFeed::default();
    let mut watcher = feed.watch();
    let collector = Collector::new(log, sites(), Limits::default()).with_feed(feed);
    collector.handle(post("/v1/batch", BATCH), None).await;
    let seen: Vec<_> = std::iter::from_fn(|| watcher.try_recv().ok()).map(|e| e.verdict).collect();
    assert_eq!(seen.iter().filter(|v| **v == "rejected").count(), 2);
    assert_eq!(seen.len(), 5);
}

#[tokio::test]
async fn what_was_accepted_is_in_the_log_after_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = clickstream_log::connect(&format!("sqlite:{}", folder.path().display())).await.unwrap();
    let collector = Collector::new(Arc::clone(&log), sites(), Limits::default());
    assert_eq!(collector.handle(post("/v1/batch", BATCH), None).await.status(), 200);
    drop((collector, log));
    let log = SqliteLog::open(folder.path()).unwrap();
    let count = |extents: Vec<clickstream_log::Extent>| extents.iter().map(|e| e.end - e.start).sum::<u64>();
    assert_eq!(count(log.extents(EVENTS).await.unwrap()), 3);
    assert_eq!(count(log.extents(REJECTED).await.unwrap()), 2);
}
