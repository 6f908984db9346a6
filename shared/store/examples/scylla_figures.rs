//! Prints how fast a store on this machine's Cassandra is and how much disk it takes. Asserts none of it.
#![expect(clippy::unwrap_used, reason = "a measurement")]

#[path = "../tests/event_store/cassandra.rs"]
#[allow(dead_code, reason = "a measurement uses a part")]
mod cassandra;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use clickstream_event::{Logged, Micros};
use clickstream_store::{
    EventStore, Person, Retention,
    conformance::event,
    scylla::{ScyllaStore, migrate},
};
use clickstream_testkit::servers::folder;
use uuid::Uuid;

const EVENTS: i64 = 30_000;
const PER_PUT: usize = 1_000;

/// A few events each by many persons over an hour of the past day.
fn made(n: i64, now: Micros) -> Logged {
    let mut logged = event("shop", 0);
    let (event, person) = (&mut logged.event, (n / 5 * 7_919) % 10_000);
    let at = now.plus(n * 100_000 - Micros::DAY);
    (event.received_at, event.original_at, event.occurred_at, event.sent_at) = (at, at, at, Some(at));
    event.anonymous_id = Some(Uuid::from_u64_pair(person as u64, 77).to_string());
    event.user_id = (person % 3 == 0).then(|| format!("user-{person}"));
    event.session_id = Some(format!("s-{}", n / 5));
    event.path = Some(format!("/products/{}", n % 700));
    (logged.log_partition, logged.log_offset) = ((n % 2) as u32, n as u64 / 2);
    logged
}

fn bytes_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { bytes_of(&path) } else { path.metadata().unwrap().len() }).sum()
}

fn percentiles(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    println!("{what}: p50 {:.2} ms, p99 {:.2} ms", at(50), at(99));
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let server = tokio::task::spawn_blocking(|| cassandra::start_on(folder(), &[])).await.unwrap();
    let config = cassandra::config(&server);
    migrate(&config).await.unwrap();
    if let Ok(compression) = std::env::var("COMPRESSION") {
        for table in ["events", "timelines"] {
            cassandra::execute(&config, &format!("ALTER TABLE clickstream.{table} WITH compression = {compression}")).await;
        }
    }
    let store = ScyllaStore::connect(&config, Retention::default()).await.unwrap();
    let now = Micros::now();
    let events: Vec<Logged> = (0..EVENTS).map(|n| made(n, now)).collect();
    let json: usize = events.iter().map(|e| serde_json::to_vec(&e.event).unwrap().len()).sum();
    let alone: usize = events.iter().map(|e| zstd::bulk::compress(&serde_json::to_vec(&e.event).unwrap(), 3).unwrap().len()).sum();
    println!("{:.0} bytes of zstd per event alone", alone as f64 / EVENTS as f64);
    // The first puts meet a server that is still warming up.
    for (part, some) in events.chunks(EVENTS as usize / 3).enumerate() {
        let began = Instant::now();
        for put in some.chunks(PER_PUT) {
            store.put_events(put).await.unwrap();
        }
        println!("put_events, {PER_PUT} at a time, part {part}: {:.0} events/s", some.len() as f64 / began.elapsed().as_secs_f64());
    }
    let (mut by_id, mut pages) = (Vec::new(), Vec::new());
    for logged in events.iter().step_by(30) {
        let began = Instant::now();
        assert!(store.find(Some("shop"), logged.event.event_id).await.unwrap().is_some());
        by_id.push(began.elapsed());
        let person = Person::Anonymous(logged.event.anonymous_id.clone().unwrap());
        let began = Instant::now();
        assert!(!store.timeline("shop", &person, None, 50).await.unwrap().is_empty());
        pages.push(began.elapsed());
    }
    percentiles("find", by_id);
    percentiles("timeline of 15 events", pages);
    drop(store);
    tokio::task::spawn_blocking(move || {
        server.stop();
        let tables = Path::new(&server.fact("dir")).join("data/data/clickstream");
        let per_event = |bytes: u64| bytes as f64 / EVENTS as f64;
        println!("{:.0} bytes of JSON per event", json as f64 / EVENTS as f64);
        println!("{:.0} bytes on disk per event, all tables", per_event(bytes_of(&tables)));
        for table in std::fs::read_dir(&tables).unwrap().map(|t| t.unwrap()) {
            let name = table.file_name().into_string().unwrap();
            println!("  {}: {:.1}", name.split('-').next().unwrap(), per_event(bytes_of(&table.path())));
        }
    })
    .await
    .unwrap();
}
