//! A log that takes nothing, and a real bucket beside it.

use std::sync::{Arc, atomic::Ordering::SeqCst};

use crate::service::{FaultyLog, assert_problem, json, post, sites};
use clickstream_collect::{Collector, Limits};
use clickstream_event::{Event, Rejection};
use clickstream_log::{EVENTS, REJECTED};
use clickstream_objects::Objects as _;
use clickstream_spill::{PREFIX, Parcel, decode};
use clickstream_telemetry::LiveFeed;
use clickstream_testkit::{flaky::Flaky, s3::Bucket};

/// Two events, the first without an id of its own, and one that is rejected.
const BATCH: &str = r#"{"writeKey":"k","batch":[
    {"type":"track","event":"e","anonymousId":"v"},
    {"type":"nothing","messageId":"b"},
    {"type":"track","event":"e","messageId":"a","anonymousId":"v"}]}"#;

struct Spilling {
    log: Arc<FaultyLog>,
    bucket: Bucket,
    flaky: Arc<Flaky>,
    feed: LiveFeed,
    collector: Collector,
}

async fn spilling() -> Spilling {
    let (log, bucket, feed) = (Arc::new(FaultyLog::default()), Bucket::start().await, LiveFeed::default());
    let flaky = Arc::new(Flaky::new(bucket.objects.clone()));
    let collector = Collector::new(log.clone(), sites(), Limits::default()).with_feed(feed.clone()).with_spill(flaky.clone());
    Spilling { log, bucket, flaky, feed, collector }
}

impl Spilling {
    async fn spilled(&self) -> Vec<Vec<Parcel>> {
        let mut objects = Vec::new();
        for key in self.bucket.keys(PREFIX).await {
            objects.push(decode(&self.bucket.objects.get(&key).await.unwrap().1).unwrap());
        }
        objects
    }
}

fn topics(parcels: &[Parcel]) -> Vec<(&str, usize)> {
    parcels.iter().map(|parcel| (parcel.topic, parcel.records.len())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_log_takes_nothing_the_answer_is_the_same_and_says_that_it_is_spilled() {
    let service = spilling().await;
    let mut watcher = service.feed.watch();
    service.log.fill(Some(REJECTED));
    let response = service.collector.handle(post("/v1/batch", BATCH), None).await;
    assert_eq!((response.status().as_u16(), &response.headers()["x-clickstream-spilled"]), (200, &"1".parse().unwrap()));
    let answer = json(&response);
    let results: Vec<_> = answer["results"].as_array().unwrap().iter().map(|r| r["result"].as_str().unwrap()).collect();
    assert_eq!(results, ["suspicious", "rejected", "suspicious"]);
    assert_eq!(std::iter::from_fn(|| watcher.try_recv().ok()).count(), 3, "who watches sees them");

    let spilled = service.spilled().await;
    assert_eq!(topics(&spilled[0]), [(REJECTED, 1), (EVENTS, 2)], "one object holds all of the request");
    let rejection: Rejection = serde_json::from_slice(&spilled[0][0].records[0].value).unwrap();
    assert_eq!(rejection.message_id.as_deref(), Some("b"));
    for (place, record) in [0, 2].into_iter().zip(&spilled[0][1].records) {
        let event: Event = serde_json::from_slice(&record.value).unwrap();
        assert_eq!(answer["results"][place]["event_id"], event.event_id.to_string(), "the id that was answered returns");
        assert_eq!(record.key.as_deref(), Some(event.record_key().as_bytes()));
    }
    assert!(service.log.events().is_empty() && service.log.rejections().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_has_taken_already_is_not_spilled_again() {
    let service = spilling().await;
    service.log.fill(Some(EVENTS));
    let response = service.collector.handle(post("/v1/batch", BATCH), None).await;
    assert_eq!((response.status().as_u16(), response.headers().contains_key("x-clickstream-spilled")), (200, true));
    assert_eq!(service.log.rejections().len(), 1);
    assert_eq!(topics(&service.spilled().await[0]), [(EVENTS, 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_both_are_gone_the_answer_is_503_and_nothing_is_half_kept() {
    let service = spilling().await;
    service.log.fill(Some(REJECTED));
    service.flaky.takes_nothing.store(true, SeqCst);
    for _ in 0..3 {
        let response = service.collector.handle(post("/v1/batch", BATCH), None).await;
        assert_problem(&response, 503, "unavailable");
        assert_eq!(response.headers()["retry-after"], "5");
        assert!(!response.headers().contains_key("x-clickstream-spilled"));
    }
    assert!(service.log.events().is_empty() && service.log.rejections().is_empty() && service.spilled().await.is_empty());

    service.log.fill(None);
    let response = service.collector.handle(post("/v1/batch", BATCH), None).await;
    assert_eq!((response.status().as_u16(), response.headers().contains_key("x-clickstream-spilled")), (200, false));
    assert_eq!((service.log.events().len(), service.log.rejections().len()), (2, 1));
}
