//! SIGTERM under load: what was answered 200 is there afterwards, and the end is a clean one.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clickstream_e2e::{Service, StartOptions, eventually};
use reqwest::Client;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::Instant,
};
use uuid::Uuid;

use crate::clicks::{batch, days};

/// Senders at once.
const CONNECTIONS: usize = 16;
/// Events that are acknowledged before the signal.
const BEFORE: usize = 5_000;
/// The service's own limit is 30 s.
const DRAINED: Duration = Duration::from_secs(35);

/// Ids whose request was answered 200.
type Acknowledged = Arc<Mutex<BTreeSet<Uuid>>>;

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_under_load_loses_nothing_that_was_answered_and_ends_with_status_0() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let service = Service::start(&data, &StartOptions::default()).await;
    let acknowledged = Acknowledged::default();
    let stop = Arc::new(AtomicBool::new(false));
    let mut senders = JoinSet::new();
    for _ in 0..CONNECTIONS {
        senders.spawn(send(format!("{}/v1/batch", service.url), Arc::clone(&acknowledged), Arc::clone(&stop)));
    }
    // A watcher of the live stream must not hold the end up.
    let watcher = service.get("/v1/live").send().await.expect("a stream");
    let count = || acknowledged.lock().expect("no sender panicked").len();
    eventually(Duration::from_mins(1), "a load is on", || async { if count() >= BEFORE { Ok(()) } else { Err(count().to_string()) } })
        .await;
    let signalled = Instant::now();
    let status = service.terminate().await;
    println!("ended {} ms after SIGTERM, {} events acknowledged", signalled.elapsed().as_millis(), count());
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(signalled.elapsed() < DRAINED, "took {:?}", signalled.elapsed());
    stop.store(true, Ordering::Relaxed);
    while let Some(sender) = senders.join_next().await {
        sender.expect("each answer was whole and named every event");
    }
    drop(watcher);

    let service = Service::start(&data, &StartOptions::default()).await;
    let (from, to) = days();
    let acknowledged = acknowledged.lock().expect("no sender panicked").clone();
    eventually(Duration::from_mins(1), "all that was answered 200 is exported once", || async {
        let exported = service.exported(&from, &to).await;
        assert!(exported.values().all(|count| *count == 1), "an event is counted twice");
        let missing = acknowledged.iter().filter(|id| !exported.contains_key(id)).count();
        if missing == 0 { Ok(()) } else { Err(format!("{missing} of {} missing", acknowledged.len())) }
    })
    .await;
    assert!(service.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_hand_is_answered_and_its_connection_closed_and_no_new_one_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::start(&folder.path().join("data"), &StartOptions::default()).await;
    let address = service.url.strip_prefix("http://").expect("an HTTP address").to_owned();
    let mut in_hand = TcpStream::connect(&address).await.expect("the service accepts");
    let (head, body) = ("POST /v1/batch?writeKey=demo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n\r\n", "{\"batch\":[]}");
    in_hand.write_all(format!("{head}{}", &body[..5]).as_bytes()).await.expect("sent");
    let mut idle = TcpStream::connect(&address).await.expect("the service accepts");
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
    assert!(idle.read(&mut [0; 1_024]).await.expect("an answer") > 0);

    let ending = tokio::spawn(service.terminate());
    eventually(Duration::from_secs(10), "no new connection is taken", || async {
        if TcpStream::connect(&address).await.is_err() { Ok(()) } else { Err("one was taken".to_owned()) }
    })
    .await;
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.expect("an idle connection is closed in order");
    assert!(!ending.is_finished(), "the request in hand is waited for");
    in_hand.write_all(&body.as_bytes()[5..]).await.expect("the rest is taken");
    let mut answer = String::new();
    in_hand.read_to_string(&mut answer).await.expect("the answer is whole, and then the connection closed");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.to_lowercase().contains("connection: close"), "{answer}");
    assert!(ending.await.expect("no panic").success());
}

/// Sends until the service takes no more connections.
async fn send(url: String, acknowledged: Acknowledged, stop: Arc<AtomicBool>) {
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(40)).build().expect("an HTTP client");
    while !stop.load(Ordering::Relaxed) {
        let (ids, batch) = batch(20);
        let Ok(answer) = client.post(&url).json(&batch).send().await else { return };
        if answer.status().as_u16() == 503 {
            return;
        }
        assert!(answer.status().is_success(), "{answer:?}");
        // An answer that is cut acknowledges nothing.
        let Ok(body) = answer.json::<Value>().await else { return };
        assert_eq!(body["results"].as_array().map(Vec::len), Some(ids.len()));
        acknowledged.lock().expect("no sender panicked").extend(ids);
    }
}
