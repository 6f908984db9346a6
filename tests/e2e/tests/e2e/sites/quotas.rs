//! Over its quota a key waits, and then goes on.

use std::time::{Duration, Instant};

use clickstream_e2e::eventually;
use serde_json::{Value, json};

use super::scene::{Scene, event, send};

const SITES: &str = r#"
[[site]]
id = "shop"
write_keys = ["k3y", "0ther"]
property_names = 3

[site.quota]
events_per_second = 20
burst = 60
"#;

#[tokio::test(flavor = "multi_thread")]
async fn over_its_quota_a_key_is_told_to_wait_and_nothing_of_the_request_is_kept() {
    let scene = Scene::new(SITES);
    let service = scene.start().await;
    let events = |count: usize| vec![event(&json!({})); count];
    assert_eq!(send(&service, "k3y", &events(60)).await.status(), 200);
    let sent = Instant::now();
    let refused = send(&service, "k3y", &events(40)).await;
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"].to_str().expect("digits").parse().expect("seconds");
    assert!((1..=2).contains(&wait), "{wait}");
    let problem: Value = refused.json().await.expect("JSON");
    assert_eq!(problem["code"], "quota_exceeded");
    assert!(problem["detail"].as_str().is_some_and(|d| d.contains("20 events a second")), "{problem}");
    // Another key is not held up, and more than a burst would never pass.
    assert_eq!(send(&service, "0ther", &events(60)).await.status(), 200);
    let refused = send(&service, "0ther", &events(61)).await;
    assert_eq!((refused.status().as_u16(), refused.headers().get("retry-after")), (413, None));

    tokio::time::sleep_until((sent + Duration::from_secs(wait)).into()).await;
    assert_eq!(send(&service, "k3y", &events(40)).await.status(), 200, "whoever waits as told is let in");
    let logged = service.json("/v1/status").await["logged"].clone();
    assert_eq!(logged, 160, "what was refused was not kept");
    let metrics = service.get("/metrics").send().await.expect("an answer").text().await.expect("text");
    assert!(metrics.contains(r#"clickstream_over_quota_events_total{site="shop",quota="key"} 101"#), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_a_property_past_the_cap_is_left_out_and_the_event_is_kept() {
    let scene = Scene::new(SITES);
    let service = scene.start().await;
    let results = async |properties: Value| {
        let answer: Value = send(&service, "k3y", &[event(&properties)]).await.json().await.expect("JSON");
        answer["results"][0].clone()
    };
    assert_eq!(results(json!({ "total": 1, "currency": "EUR", "items": [] })).await["result"], "accepted");
    let capped = results(json!({ "total": 2, "u-4711": 1, "u-4712": 1 })).await;
    assert_eq!(capped["result"], "suspicious");
    let named = capped["reasons"].as_array().expect("reasons").iter().filter(|r| r["code"] == "property_name_capped").count();
    assert_eq!(named, 1, "{capped}");
    let id = capped["event_id"].as_str().expect("an id").to_owned();
    let kept = eventually(Duration::from_mins(1), "the event is stored", || async {
        let events = service.json("/v1/users/stored-by-the-client/events?site=shop&anonymous=true").await;
        let found = events["events"].as_array().into_iter().flatten().find(|e| e["event_id"] == id.as_str());
        found.cloned().ok_or_else(|| events.to_string())
    })
    .await;
    assert_eq!(kept["properties"], json!({ "total": 2 }));
}
