//! What the page shows: events as they arrive, and reports that count a click within seconds.

use std::{collections::BTreeMap, time::Duration};

use clickstream_e2e::{Service, StartOptions, eventually};
use reqwest::Response;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

/// An accepted click counts within this time.
const FRESH: Duration = Duration::from_secs(10);
/// Clicks whose freshness is measured.
const CLICKS: usize = 10;

async fn start(folder: &tempfile::TempDir) -> Service {
    Service::start(&folder.path().join("data"), &StartOptions::default()).await
}

fn click(element: &str) -> Value {
    json!({ "type": "track", "event": "element_clicked", "anonymousId": "a", "timestamp": null, "properties": { "element_id": element } })
}

async fn send(service: &Service, key: &str, batch: &[Value]) {
    let answer = service.post("/v1/batch").json(&json!({ "writeKey": key, "batch": batch })).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{answer:?}");
}

/// Reads the stream until `count` events came.
async fn events(mut stream: Response, count: usize) -> Vec<Value> {
    let mut text = String::new();
    loop {
        let messages = text.split("\n\n").filter(|m| m.starts_with("event: event\n"));
        let found: Vec<_> =
            messages.filter_map(|m| m.split_once("data: ")).filter_map(|(_, data)| serde_json::from_str(data).ok()).collect();
        if found.len() >= count {
            return found;
        }
        let piece = timeout(FRESH, stream.chunk()).await.expect("the stream goes on in time").expect("the stream is whole");
        text.push_str(&String::from_utf8_lossy(&piece.expect("the stream goes on")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_stream_shows_each_event_of_the_site_with_its_verdict() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = start(&folder).await;
    let stream = service.get("/v1/live?site=demo").send().await.expect("a stream");
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    send(&service, "demo-news", &[click("of-another-site")]).await;
    let mut good = click("seen");
    good["messageId"] = json!(Uuid::new_v4());
    good["timestamp"] = json!(clickstream_event::Micros::now().to_string());
    good["context"] = json!({ "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" });
    let odd =
        json!({ "type": "track", "event": "element_clicked", "anonymousId": "a", "properties": { "element_id": "odd", "x": "left" } });
    let bad = json!({ "type": "dance", "anonymousId": "a" });
    send(&service, "demo", &[good, odd, bad]).await;
    let seen = events(stream, 3).await;
    let verdicts: BTreeMap<_, _> = seen.iter().map(|e| (e["element_id"].as_str(), e["verdict"].as_str().expect("a verdict"))).collect();
    println!("{seen:?}");
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|e| e["site_id"] == "demo"));
    assert!(matches!(verdicts[&Some("seen")], "valid" | "suspicious"));
    assert_eq!(verdicts[&Some("odd")], "suspicious");
    assert_eq!(verdicts[&None], "rejected");
    let reasons = seen.iter().find(|e| e["verdict"] == "rejected").expect("one is rejected")["reasons"].clone();
    assert!(reasons.as_array().is_some_and(|r| r.contains(&json!("action_unknown"))), "{reasons}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_counts_in_the_report_within_ten_seconds_of_its_acknowledgement() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = start(&folder).await;
    let mut took = Vec::new();
    for _ in 0..CLICKS {
        let element = Uuid::new_v4().to_string();
        send(&service, "demo", &[click(&element)]).await;
        let acknowledged = Instant::now();
        eventually(FRESH, "the click is counted", || async {
            let rows = service.json("/v1/reports/elements?site=demo").await["rows"].clone();
            let clicks = rows.as_array().into_iter().flatten().find(|r| r["element_id"] == element.as_str()).map(|r| r["clicks"].clone());
            if clicks == Some(json!(1)) { Ok(()) } else { Err(format!("{clicks:?}")) }
        })
        .await;
        took.push(acknowledged.elapsed().as_millis());
    }
    took.sort_unstable();
    println!("a click counts after {} ms (median), {} ms (longest of {CLICKS})", took[CLICKS / 2], took[CLICKS - 1]);
}
