//! A server that is killed or hangs: what was answered is there, errors come in time, and the same handle goes on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use clickstream_event::Logged;
use clickstream_store::{
    Cursor, EventStore, Found, Person, StoreError,
    conformance::{event, rejection},
    scylla::{ScyllaStore, migrate},
};
use clickstream_testkit::servers::{Server, folder};

use crate::cassandra;

const SITE: &str = "shop";

fn by_ann(seconds: i64) -> Logged {
    let mut logged = event(SITE, seconds);
    logged.event.user_id = Some("ann".to_owned());
    logged
}

/// Puts until told to stop; gives the events that were answered. A failed put is tried again, as the caller does.
async fn put_until(store: ScyllaStore, writer: i64, stop: Arc<AtomicBool>) -> Vec<Logged> {
    let mut answered = Vec::new();
    for round in 0.. {
        let events: Vec<_> = (0..50).map(|n| by_ann(writer * 1_000_000 + round * 50 + n)).collect();
        loop {
            if stop.load(Ordering::Relaxed) {
                return answered;
            }
            match store.put_events(&events).await {
                Ok(()) => break answered.extend(events),
                Err(StoreError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(error) => panic!("{error:?}"),
            }
        }
        store.put_rejections(&[rejection(SITE, round)]).await.ok();
    }
    answered
}

async fn in_timeline(store: &ScyllaStore) -> Vec<Logged> {
    let (ann, mut all, mut after) = (Person::User("ann".to_owned()), Vec::new(), None);
    loop {
        let page = store.timeline(SITE, &ann, after, 1_000).await.unwrap();
        let Some(last) = page.last() else { break all };
        after = Some(Cursor { original_at: last.event.original_at, event_id: last.event.event_id });
        all.extend(page);
    }
}

/// One instance for both, because starting one takes long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_or_hanging_the_server_keeps_what_it_answered_and_the_handle_goes_on() {
    let server = Arc::new(tokio::task::spawn_blocking(|| cassandra::start_on(folder(), &[])).await.unwrap());
    let config = cassandra::config(&server);
    migrate(&config).await.unwrap();
    let store = cassandra::connect(&config).await;
    let mut answered = Vec::new();
    for kill in 0..3 {
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..3 {
            writers.spawn(put_until(store.clone(), kill * 3 + writer, Arc::clone(&stop)));
        }
        tokio::time::sleep(Duration::from_millis(900 + 300 * kill as u64)).await;
        server.kill();
        let restarted = Arc::clone(&server);
        tokio::task::spawn_blocking(move || restarted.start_again()).await.unwrap();
        let back = Instant::now();
        let probe = by_ann(-1 - kill);
        cassandra::eventually(Duration::from_mins(1), "the same handle writes again", || async {
            store.put_events(std::slice::from_ref(&probe)).await.is_ok()
        })
        .await;
        println!("kill {kill}: written again {:?} after the server was back", back.elapsed());
        stop.store(true, Ordering::Relaxed);
        let new = writers.join_all().await.concat();
        println!("kill {kill}: {} events answered", new.len());
        answered.extend(new);
        for logged in answered.iter().rev().take(2_000) {
            let found = store.find(Some(SITE), logged.event.event_id).await.unwrap();
            assert_eq!(found, Some(Found::Event(Box::new(logged.clone()))), "was answered and is lost");
        }
    }
    assert!(answered.len() > 1_000, "too little was put to mean anything: {}", answered.len());
    let kept: std::collections::HashSet<_> = in_timeline(&store).await.into_iter().map(|e| e.event.event_id).collect();
    let lost = answered.iter().filter(|e| !kept.contains(&e.event.event_id)).count();
    assert_eq!(lost, 0, "answered, and missing in the timeline");
    hanging(&server, &store).await;
}

/// The process is stopped, not ended: connections stay open and nobody answers.
async fn hanging(server: &Server, store: &ScyllaStore) {
    server.freeze();
    let began = Instant::now();
    let events: Vec<_> = (0..2_000).map(|n| by_ann(5_000_000 + n)).collect();
    let ann = Person::User("ann".to_owned());
    let (put, find, page) =
        tokio::join!(store.put_events(&events), store.find(None, events[0].event.event_id), store.timeline(SITE, &ann, None, 100));
    let told = began.elapsed();
    server.thaw();
    for error in [put.unwrap_err(), find.unwrap_err(), page.unwrap_err()] {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    }
    println!("a server that hangs was told of after {told:?}");
    assert!(told < Duration::from_secs(30), "{told:?}");
    cassandra::eventually(Duration::from_mins(1), "the same handle writes again", || async { store.put_events(&events).await.is_ok() })
        .await;
    let found = store.find(Some(SITE), events[1_999].event.event_id).await.unwrap();
    assert_eq!(found, Some(Found::Event(Box::new(events[1_999].clone()))));
}
