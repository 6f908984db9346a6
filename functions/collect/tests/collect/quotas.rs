//! A site's quota, as whoever sends sees it.

use std::sync::Arc;

use crate::service::{FaultyLog, assert_problem, json, post};
use clickstream_collect::{Collector, Limits};
use clickstream_event::Sites;

const SITES: &str = r#"
[[site]]
id = "shop"
write_keys = ["k", "new"]
[site.quota]
events_per_second = 1
burst = 5
per_ip = { events_per_second = 1, burst = 3 }
"#;

fn service() -> (Collector, Arc<FaultyLog>) {
    let log = Arc::new(FaultyLog::default());
    (Collector::new(Arc::<FaultyLog>::clone(&log), Sites::from_toml(SITES).unwrap(), Limits::default()), log)
}

/// A batch of so many events, one of them rejected.
fn batch(key: &str, events: usize) -> String {
    let event = r#"{"type":"track","event":"e","anonymousId":"v"}"#;
    let list = [vec![event; events - 1], vec!["7"]].concat().join(",");
    format!(r#"{{"writeKey":"{key}","batch":[{list}]}}"#)
}

#[tokio::test]
async fn over_its_quota_a_request_is_refused_whole_and_told_when_to_come_again() {
    let (collector, log) = service();
    let from = |ip: &str| Some(ip.parse().unwrap());
    let send = async |key: &str, ip: &str, events: usize| collector.handle(post("/v1/batch", batch(key, events)), from(ip)).await;
    assert_eq!(send("k", "1.1.1.1", 3).await.status(), 200);
    let refused = send("k", "1.1.1.1", 3).await;
    assert_problem(&refused, 429, "quota_exceeded");
    assert_eq!(refused.headers()["retry-after"], "3");
    let told = json(&refused)["detail"].as_str().unwrap().to_owned();
    assert!(told.contains("your address") && told.contains("1 events a second, 3 at once") && told.contains("in 3 s"), "{told}");
    // Nothing of it was kept, and nothing was taken from the key's own quota.
    assert_eq!((log.events().len(), log.rejections().len()), (2, 1));
    assert_eq!(send("k", "2.2.2.2", 2).await.status(), 200);
    let refused = send("k", "3.3.3.3", 1).await;
    assert_problem(&refused, 429, "quota_exceeded");
    assert!(json(&refused)["detail"].as_str().unwrap().contains("this write key"), "{:?}", refused.body());
    // The site's other key has its own.
    assert_eq!(send("new", "3.3.3.3", 3).await.status(), 200);
}

#[tokio::test]
async fn more_events_than_a_burst_are_told_how_many_may_come() {
    let (collector, log) = service();
    let refused = collector.handle(post("/v1/batch", batch("k", 6)), None).await;
    assert_problem(&refused, 413, "burst_exceeded");
    assert!(json(&refused)["detail"].as_str().unwrap().contains("at most 5"), "{:?}", refused.body());
    assert!(!refused.headers().contains_key("retry-after"), "it would never pass");
    assert_eq!(collector.handle(post("/v1/batch", batch("k", 5)), None).await.status(), 200);
    assert_eq!((log.events().len(), log.rejections().len()), (4, 1));
}

#[tokio::test]
async fn a_page_may_read_that_it_must_wait() {
    let (collector, _) = service();
    let mut request = post("/v1/batch?writeKey=k", batch("", 5));
    request.headers_mut().insert("origin", "https://shop.example".parse().unwrap());
    assert_eq!(collector.handle(request.clone(), None).await.status(), 200);
    let refused = collector.handle(request, None).await;
    assert_problem(&refused, 429, "quota_exceeded");
    assert_eq!(refused.headers()["access-control-allow-origin"], "https://shop.example");
    assert!(refused.headers()["access-control-expose-headers"].to_str().unwrap().contains("Retry-After"));
}
