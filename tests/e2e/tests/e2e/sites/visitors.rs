//! A cookieless site: visitors are told apart for a day, and what a client stores is not kept.

use std::{collections::BTreeSet, time::Duration};

use clickstream_e2e::{Service, eventually};
use clickstream_event::Micros;
use serde_json::{Value, json};

use super::scene::{Scene, event};

const SITES: &str = r#"
[[site]]
id = "shop"
write_keys = ["k3y"]
cookieless = true
ip = "drop"
"#;
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI: &str =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15";

async fn send(service: &Service, agent: &str, batch: &[Value]) {
    let request = service.post("/v1/batch").header("user-agent", agent).header("cookie", "stored=1");
    let answer = request.json(&json!({ "writeKey": "k3y", "batch": batch })).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert!(!answer.headers().contains_key("set-cookie"), "{answer:?}");
}

/// The events of the site as they stand in ClickHouse.
async fn events(service: &Service, count: usize) -> Vec<Value> {
    // A test may run past midnight.
    let day = |at: Micros| at.to_string()[..10].to_owned();
    let (from, to) = (day(Micros::now().plus(-Micros::DAY)), day(Micros::now()));
    eventually(Duration::from_mins(1), "every event is visible", || async {
        let text = service.command(["export", "--site", "shop", "--from", &from, "--to", &to]).await.expect_success();
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
        if events.len() == count { Ok(events) } else { Err(format!("{} of {count}", events.len())) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_are_told_apart_without_anything_stored() {
    let scene = Scene::new(SITES);
    let service = scene.start().await;
    let bare = json!({ "type": "page", "name": "home" });
    let named = json!({ "type": "identify", "userId": "user-7", "anonymousId": "stored-by-the-client" });
    send(&service, FIREFOX, &[event(&json!({ "session_id": "stored-session" })), bare.clone()]).await;
    send(&service, SAFARI, &[bare.clone(), named]).await;
    let wrong =
        json!({ "type": "track", "event": "element_clicked", "anonymousId": "stored-by-the-client", "context": { "ip": "8.8.4.4" } });
    send(&service, SAFARI, &[wrong]).await;
    // Its secret lasts: the same visitor is the same after a restart.
    assert!(service.terminate().await.success());
    let service = scene.start().await;
    send(&service, FIREFOX, &[bare]).await;

    let events = events(&service, 5).await;
    let visitors = |browser: &str| -> BTreeSet<String> {
        let of = events.iter().filter(|e| e["browser"] == browser);
        of.map(|e| e["anonymous_id"].as_str().expect("an id").to_owned()).collect()
    };
    let (firefox, safari) = (visitors("Firefox"), visitors("Safari"));
    assert_eq!((firefox.len(), safari.len()), (1, 1), "{events:?}");
    assert_ne!(firefox, safari);
    assert!(firefox.iter().chain(&safari).all(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())));
    let text = serde_json::to_string(&events).expect("JSON");
    for kept in ["stored-", "Mozilla", "127.0.0.1"] {
        assert!(!text.contains(kept), "{kept} is kept: {text}");
    }
    assert_eq!(events.iter().filter(|e| e["user_id"] == "user-7").count(), 1);
    let rejections = service.json("/v1/rejections?site=shop").await;
    assert_eq!(rejections["rejections"].as_array().map(Vec::len), Some(1), "{rejections}");
    for kept in ["stored-", "Mozilla", "8.8.4.4"] {
        assert!(!rejections.to_string().contains(kept), "{kept} is kept: {rejections}");
    }
    let said = service.said();
    assert!(!said.contains("stored-") && !said.contains("Mozilla"), "{said}");
}
