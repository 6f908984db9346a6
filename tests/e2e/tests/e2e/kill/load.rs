//! A load of events with ids of their own, sent over several connections until each is acknowledged.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use clickstream_e2e::{Sums, eventually};
use clickstream_event::Micros;
use clickstream_testkit::traffic::{Deed, Traffic, TrafficOptions};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet};
use uuid::Uuid;

/// Events of a request.
const BATCH: usize = 20;
/// Senders at once.
const CONNECTIONS: usize = 8;
/// A batch must be taken within this time, restarts included.
const PATIENCE: Duration = Duration::from_mins(5);

/// The load, and what reports must say of it.
pub struct Load {
    /// Every event's id.
    pub ids: BTreeSet<Uuid>,
    /// Views and clicks of people per element.
    pub sums: Sums,
    /// Days on which events happen (UTC).
    pub days: (String, String),
    batches: Arc<Vec<Value>>,
}

impl Load {
    /// `count` events of the last two hours.
    pub fn new(seed: u64, count: usize) -> Self {
        let start = Micros::now().plus(-2 * Micros::HOUR);
        let step = Micros::HOUR / count as i64;
        let mut traffic = Traffic::new(TrafficOptions { seed, sites: vec!["demo".to_owned()], start, step });
        let events: Vec<_> = (0..count).map(|_| traffic.next_event()).collect();
        let mut sums = Sums::new();
        for event in events.iter().filter(|e| !e.is_bot()) {
            let Some(element) = event.element_id() else { continue };
            let sum = sums.entry(element.to_owned()).or_default();
            match event.deed {
                Deed::View => sum.0 += 1,
                Deed::Click => sum.1 += 1,
                Deed::Page | Deed::Identify => unreachable!("they name no element"),
            }
        }
        let day = |index: usize| events[index].at.to_string()[..10].to_owned();
        let batches = events.chunks(BATCH).map(|chunk| {
            let batch: Vec<_> = chunk.iter().map(clickstream_testkit::traffic::TrafficEvent::to_segment).collect();
            json!({ "writeKey": "demo", "batch": batch })
        });
        Self {
            ids: events.iter().map(|e| e.message_id).collect(),
            sums,
            days: (day(0), day(events.len() - 1)),
            batches: Arc::new(batches.collect()),
        }
    }

    /// Requests in all.
    pub fn requests(&self) -> usize {
        self.batches.len()
    }

    /// Sends to `url`, whatever happens to the service there; what is not acknowledged is sent again. The receiver tells
    /// how many requests were acknowledged so far.
    pub fn send(&self, url: &str) -> (JoinSet<()>, watch::Receiver<usize>) {
        let (acknowledged, progress) = watch::channel(0);
        let next = Arc::new(AtomicUsize::new(0));
        let mut senders = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (batches, next, acknowledged) = (Arc::clone(&self.batches), Arc::clone(&next), acknowledged.clone());
            let url = format!("{url}/v1/batch");
            senders.spawn(async move {
                let client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("an HTTP client");
                while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                    eventually(PATIENCE, "the batch is acknowledged", || send(&client, &url, batch)).await;
                    acknowledged.send_modify(|count| *count += 1);
                }
            });
        }
        (senders, progress)
    }
}

/// Sends once. A 200 must name every event's fate, in order.
async fn send(client: &Client, url: &str, batch: &Value) -> Result<(), String> {
    let answer = client.post(url).json(batch).send().await.map_err(|e| e.to_string())?;
    let status = answer.status();
    // An answer that is cut acknowledges nothing.
    let body = answer.text().await.map_err(|e| e.to_string())?;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return Err(body);
    }
    assert_eq!(status, StatusCode::OK, "{body}");
    let answer: Value = serde_json::from_str(&body).map_err(|e| e.to_string())?;
    let results = answer["results"].as_array().expect("results");
    let events = batch["batch"].as_array().expect("a batch");
    assert_eq!(results.len(), events.len());
    for (result, event) in results.iter().zip(events) {
        assert_eq!(result["messageId"], event["messageId"]);
        assert_eq!(result["event_id"], event["messageId"]);
        assert_eq!(result["result"], "accepted", "{result}");
    }
    Ok(())
}
