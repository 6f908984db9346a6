//! Events that go on coming while something fails.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clickstream_e2e::eventually;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use uuid::Uuid;

use crate::clicks::batch;

/// Events of a request.
pub const BATCH: usize = 20;
/// Senders at once: one may be waiting for what does not answer.
const SENDERS: usize = 4;
/// Pause of each sender between two requests.
const PACE: Duration = Duration::from_millis(200);
/// A request must be taken within this time.
const PATIENCE: Duration = Duration::from_mins(2);

/// What was acknowledged.
#[derive(Default)]
pub struct Sent {
    /// Ids of events.
    pub ids: BTreeSet<Uuid>,
    /// Requests that were kept in the bucket instead of the log.
    pub spilled: usize,
}

/// Senders in the background. What is not acknowledged they send again.
pub struct Load {
    stopped: Arc<AtomicBool>,
    progress: watch::Receiver<usize>,
    senders: JoinSet<Sent>,
}

impl Load {
    /// Sends to the service at `url` from now on.
    pub fn start(url: &str) -> Self {
        let (stopped, (acknowledged, progress)) = (Arc::new(AtomicBool::new(false)), watch::channel(0));
        let mut senders = JoinSet::new();
        for _ in 0..SENDERS {
            let (url, stopped, acknowledged) = (url.to_owned(), Arc::clone(&stopped), acknowledged.clone());
            senders.spawn(async move {
                let client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("an HTTP client");
                let mut sent = Sent::default();
                while !stopped.load(Ordering::Relaxed) {
                    let (ids, batch) = batch(BATCH);
                    let spilled = eventually(PATIENCE, "the batch is acknowledged", || send(&client, &url, &batch)).await;
                    sent.spilled += usize::from(spilled);
                    sent.ids.extend(ids);
                    acknowledged.send_modify(|requests| *requests += 1);
                    sleep(PACE).await;
                }
                sent
            });
        }
        Self { stopped, progress, senders }
    }

    /// Waits until `requests` more are acknowledged.
    pub async fn goes_on(&mut self, requests: usize) {
        let wanted = *self.progress.borrow() + requests;
        let reached = timeout(PATIENCE, self.progress.wait_for(|acknowledged| *acknowledged >= wanted)).await;
        reached.expect("events go on being taken").expect("there is a sender");
    }

    /// Ends when what is being sent is acknowledged.
    pub async fn stop(self) -> Sent {
        self.stopped.store(true, Ordering::Relaxed);
        let mut all = Sent::default();
        for sent in self.senders.join_all().await {
            all.ids.extend(sent.ids);
            all.spilled += sent.spilled;
        }
        all
    }
}

/// Sends a batch to the service at `url` once. A 200 names every event's fate; true if it is kept in the bucket
/// instead of the log.
pub async fn send(client: &Client, url: &str, batch: &Value) -> Result<bool, String> {
    let answer = client.post(format!("{url}/v1/batch")).json(batch).send().await.map_err(|e| e.to_string())?;
    let (status, spilled) = (answer.status(), answer.headers().contains_key("x-clickstream-spilled"));
    // An answer that is cut acknowledges nothing.
    let text = answer.text().await.map_err(|e| e.to_string())?;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return Err(text);
    }
    assert_eq!(status, StatusCode::OK, "{text}");
    let body: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    assert_eq!(body["results"].as_array().map(Vec::len), batch["batch"].as_array().map(Vec::len));
    Ok(spilled)
}
