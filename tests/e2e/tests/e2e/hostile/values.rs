//! Hostile values within good JSON: judged event by event, and what is kept passes every step behind.

use std::{collections::BTreeSet, time::Duration};

use clickstream_e2e::{Service, StartOptions, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

const VALUES: [&str; 28] = [
    "1e308",
    "-1e308",
    "1e400",
    "123456789012345678901234567890",
    "18446744073709551615",
    "-9223372036854775808",
    "0.1e-400",
    "-0.0",
    "\"NaN\"",
    "\"Infinity\"",
    "\"1e400\"",
    "\"\"",
    "\"\\u0000\"",
    "\"a\\u0000b\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"\u{202e}\u{feff}e\u{301}\"",
    "\"'; DROP TABLE events; --\"",
    "\"{x:String}\"",
    "\"\\\\\\\"`\"",
    "\"\\t\\n\\r\"",
    "null",
    "true",
    "[]",
    "{}",
    "[1,[2,[3]]]",
    "{\"a\":{\"b\":null}}",
];

/// Every place where a value may stand, in each shape; `V` is the value, `I` an id.
const PLACES: [(&str, &str); 34] = [
    ("/v1/track", r#"{"messageId":V,"anonymousId":"a","event":"e"}"#),
    ("/v1/track", r#"{"messageId":I,"anonymousId":V,"event":"e"}"#),
    ("/v1/track", r#"{"messageId":I,"userId":V,"event":"e"}"#),
    ("/v1/track", r#"{"messageId":I,"anonymousId":"a","event":V}"#),
    ("/v1/track", r#"{"messageId":I,"anonymousId":"a","event":"e","timestamp":V}"#),
    ("/v1/track", r#"{"messageId":I,"anonymousId":"a","event":"e","sentAt":V}"#),
    ("/v1/track", r#"{"messageId":I,"anonymousId":"a","event":"e","type":V}"#),
    ("/v1/track", r#"{"messageId":I,"anonymousId":"a","event":"e","context":V}"#),
    ("/v1/track", r#"{"messageId":I,"anonymousId":"a","event":"e","properties":V}"#),
    ("/v1/track", r#"{"messageId":I,"anonymousId":"a","event":"e","properties":{"x":V,"":V,"\u0000":V}}"#),
    ("/v1/track", r#"{"messageId":I,"anonymousId":"a","event":"element_clicked","properties":{"element_id":V}}"#),
    ("/v1/track", r#"{"messageId":I,"anonymousId":"a","event":"element_clicked","properties":{"element_id":"e","x":V,"y":V}}"#),
    (
        "/v1/track",
        r#"{"messageId":I,"anonymousId":"a","event":"element_viewed","properties":{"element_id":"e","visible_ms":V,"position":V}}"#,
    ),
    ("/v1/track", r#"{"messageId":I,"anonymousId":"a","event":"e","context":{"page":V}}"#),
    ("/v1/track", r#"{"messageId":I,"anonymousId":"a","event":"e","context":{"page":{"url":V,"path":V,"title":V,"referrer":V}}}"#),
    ("/v1/track", r#"{"messageId":I,"anonymousId":"a","event":"e","context":{"userAgent":V,"locale":V,"ip":V,"sessionId":V}}"#),
    ("/v1/track", r#"{"messageId":I,"anonymousId":"a","event":"e","context":{"campaign":V,"library":V,"screen":V}}"#),
    ("/v1/track", r#"{"messageId":I,"anonymousId":"a","event":"e","properties":{"a":1,"a":V,"a":3}}"#),
    ("/v1/page", r#"{"messageId":I,"anonymousId":"a","name":V}"#),
    ("/v1/identify", r#"{"messageId":I,"userId":"u","traits":V}"#),
    ("/v1/group", r#"{"messageId":I,"userId":"u","groupId":V}"#),
    ("/v1/alias", r#"{"messageId":I,"userId":"u","previousId":V}"#),
    ("/v1/batch", r#"{"batch":[{"type":"track","messageId":I,"anonymousId":"a","event":"e","x":V}],"context":{"page":V}}"#),
    ("/v1/batch", r#"{"batch":[V,{"type":"track","messageId":I,"anonymousId":"a","event":"e"}],"sentAt":V}"#),
    ("/v1/events", r#"{"event_id":V,"action":"custom","name":"n","user_id":"u"}"#),
    ("/v1/events", r#"{"event_id":I,"action":V,"name":"n","user_id":"u"}"#),
    ("/v1/events", r#"{"event_id":I,"action":"custom","name":V,"user_id":"u","properties":V}"#),
    ("/v1/events", r#"{"event_id":I,"action":"custom","name":"n","user_id":"u","occurred_at":V,"original_at":V,"received_at":V}"#),
    ("/v1/events", r#"{"event_id":I,"action":"custom","name":"n","user_id":"u","bot":V,"verdict":V,"warnings":V,"log_offset":V}"#),
    ("/v1/events", r#"{"event_id":I,"action":"view","element_id":V,"user_id":"u","viewport_width":V,"scroll_position":V,"country":V}"#),
    ("/clicks", r#"{"id":V,"type":"CLICK","createdAt":"2026-11-24 00:00:00","userId":"u","payload":{"elementId":"e"}}"#),
    ("/clicks", r#"{"id":I,"type":"CLICK","createdAt":V,"userId":"u","payload":{"elementId":"e"}}"#),
    ("/clicks", r#"{"id":I,"type":"CLICK","createdAt":"2026-11-24 00:00:00","userId":"u","payload":V}"#),
    (
        "/clicks",
        r#"{"id":I,"type":"CLICK","createdAt":"2026-11-24 00:00:00","userId":V,"deviceType":V,"payload":{"elementId":"e","x":V,"metadata":V}}"#,
    ),
];

/// What the service keeps of a request's events: ids of the kept ones, and how many were rejected.
#[derive(Default)]
struct Kept {
    ids: BTreeSet<Uuid>,
    rejected: usize,
}

impl Kept {
    async fn send(&mut self, service: &Service, path: &str, body: String) {
        let request = service.post(&format!("{path}?writeKey=demo")).header("content-type", "application/json").body(body.clone());
        let answer = request.send().await.unwrap_or_else(|e| panic!("{body}: {e}"));
        let status = answer.status();
        let text = answer.text().await.expect("the answer is whole");
        if status.is_client_error() {
            super::problem::told(&text, status.as_u16(), &body);
            return;
        }
        assert!(status.is_success(), "{status} for {body}: {text}");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        for result in answer["results"].as_array().expect("results") {
            match result["result"].as_str() {
                Some("accepted" | "suspicious") => {
                    let id = result["event_id"].as_str().and_then(|id| id.parse().ok()).expect("a kept event has an id");
                    self.ids.insert(id);
                }
                Some("rejected") => {
                    assert!(result["reasons"][0]["message"].as_str().is_some_and(|m| m.len() > 5), "{body}: {text}");
                    self.rejected += 1;
                }
                _ => panic!("{body}: {text}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_value_in_every_place_is_judged_and_what_is_kept_reaches_the_reports() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::start(&folder.path().join("data"), &StartOptions::default()).await;
    let mut kept = Kept::default();
    for (path, template) in PLACES {
        for value in VALUES {
            let id = format!("\"{}\"", Uuid::new_v4());
            let body = template.replace(":V", &format!(":{value}")).replace("[V", &format!("[{value}")).replace(":I", &format!(":{id}"));
            kept.send(&service, path, body).await;
        }
    }
    large(&service, &mut kept).await;
    println!("{} kept, {} rejected", kept.ids.len(), kept.rejected);
    assert!(kept.ids.len() > 500 && kept.rejected > 50);

    // Times may have been taken from the events.
    let exported = || async {
        let mut exported = BTreeSet::new();
        for from in ["2025-11-01", "2026-11-01"] {
            let to = if from.starts_with("2025") { "2026-10-31" } else { "2027-06-01" };
            exported.extend(service.exported(from, to).await.into_keys());
        }
        exported
    };
    eventually(Duration::from_mins(1), "everything kept is exported", || async {
        let exported = exported().await;
        let missing = kept.ids.difference(&exported).collect::<Vec<_>>();
        if missing.is_empty() { Ok(()) } else { Err(format!("{} missing, {:?}", missing.len(), &missing[..missing.len().min(5)])) }
    })
    .await;
    service.caught_up(&["store", "land", "load"]).await;
    service.invoke("compact").await;
    service.invoke("settle").await;
    service.caught_up(&["compact", "settle"]).await;
    assert!(kept.ids.is_subset(&exported().await), "everything kept is settled");
    for name in ["elements", "pages", "sessions", "devices", "activity", "heatmap"] {
        service.json(&format!("/v1/reports/{name}?site=demo")).await;
    }
}

/// Many keys, long texts, deep nesting, unusual ids.
async fn large(service: &Service, kept: &mut Kept) {
    let track = |properties: Value| {
        json!({ "messageId": Uuid::new_v4(), "anonymousId": "a", "event": "element_clicked", "properties": properties }).to_string()
    };
    let keys = |count: usize| (0..count).map(|i| (format!("k{i}"), json!(i))).chain([("element_id".to_owned(), json!("e"))]).collect();
    let mut deep = json!(1);
    for _ in 0..25 {
        deep = json!({ "d": deep });
    }
    kept.send(service, "/v1/track", track(Value::Object(keys(1_000)))).await;
    kept.send(service, "/v1/track", track(json!({ "element_id": "e", "deep": deep }))).await;
    for length in [10_000, 31_000] {
        for name in ["element_id", "element_text", "other", "session_id"] {
            kept.send(service, "/v1/track", track(json!({ "element_id": "e", name: "ы".repeat(length / 2) }))).await;
            kept.send(service, "/v1/track", track(json!({ "element_id": "e", name: "=".repeat(length) }))).await;
        }
    }
    let rejected = kept.rejected;
    kept.send(service, "/v1/track", track(Value::Object(keys(10_000)))).await;
    kept.send(service, "/v1/track", track(json!({ "element_id": "e", "text": "x".repeat(500_000) }))).await;
    let long_id = json!({ "messageId": "i".repeat(20_000), "anonymousId": "a", "event": "e" }).to_string();
    kept.send(service, "/v1/track", long_id).await;
    assert!(kept.rejected >= rejected + 2, "an event over 32 KB is rejected alone");
}
