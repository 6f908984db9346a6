//! How fast appends are: printed, not judged. `KAFKA_RATE_OPTIONS=compression.type=lz4` adds options to the log's URL,
//! `KAFKA_RATE_SECONDS=20` makes it longer.
#![expect(clippy::unwrap_used, reason = "a measurement")]

#[path = "../tests/log/kafka.rs"]
#[allow(dead_code, reason = "a measurement uses a part")]
mod kafka;

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use clickstream_log::{Log, Record, kafka::KafkaLog};
use kafka::{TOPIC, private, record, shared};
use uuid::Uuid;

const CALLERS: usize = 64;
const RECORDS: usize = 20;
const BYTES: usize = 700;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let options = std::env::var("KAFKA_RATE_OPTIONS").unwrap_or_default();
    let seconds = std::env::var("KAFKA_RATE_SECONDS").ok().map_or(5, |s| s.parse().unwrap());
    let url = private(&shared(), &format!("replication=1&{options}"));
    let log = KafkaLog::open(&url).unwrap();
    log.create_topic(TOPIC, 4).await.unwrap();
    run(&log, CALLERS, Duration::from_secs(1)).await;
    for callers in [1, CALLERS] {
        let processor = processor_seconds();
        let began = Instant::now();
        let mut latencies = run(&log, callers, Duration::from_secs(seconds)).await;
        let (elapsed, processor) = (began.elapsed().as_secs_f64(), processor_seconds() - processor);
        latencies.sort_unstable();
        let at = |q: f64| latencies[((latencies.len() - 1) as f64 * q) as usize];
        let records = (latencies.len() * RECORDS) as f64;
        println!(
            "{callers} callers {options}: {:.0} records/s, p50 {:.1?}, p99 {:.1?}, max {:.1?}; {:.2} µs of a core per record here",
            records / elapsed,
            at(0.5),
            at(0.99),
            at(1.0),
            processor / records * 1e6,
        );
    }
    kafka::tidy(&url).await;
}

async fn run(log: &KafkaLog, callers: usize, time: Duration) -> Vec<Duration> {
    let until = Instant::now() + time;
    let mut all = tokio::task::JoinSet::new();
    for caller in 0..callers {
        let log = log.clone();
        all.spawn(async move {
            let mut latencies = Vec::new();
            let records: Vec<Record> = (0..RECORDS).map(|n| event(caller * RECORDS + n)).collect();
            while Instant::now() < until {
                let records = records.clone();
                let began = Instant::now();
                log.append(TOPIC, records).await.unwrap();
                latencies.push(began.elapsed());
            }
            latencies
        });
    }
    all.join_all().await.concat()
}

/// Like an event's JSON in size and in how much of it repeats.
fn event(n: usize) -> Record {
    let (id, visitor) = (Uuid::new_v4(), Uuid::new_v4());
    let mut value = format!(
        r#"{{"event_id":"{id}","site_id":"demo","action":"click","name":"Added to cart","occurred_at":"2026-11-24T12:00:{:02}.{:06}Z","session_id":"s-{n}","anonymous_id":"{visitor}","url":"https://shop.example/products/{n}?utm_source=mail","path":"/products/{n}","page_title":"Product {n}","element_id":"buy-{n}","element_kind":"button","element_text":"Add to cart","x":{},"y":{},"device_type":"desktop","os":"Windows","browser":"Firefox","bot":false,"ip":"203.0.113.0","library":"clickstream.js/0.1","source":"http","verdict":"valid","properties":{{"price":{}.99"#,
        n % 60,
        n * 7_919 % 1_000_000,
        n % 1_280,
        n % 3_000,
        n % 100,
    );
    let pad = BYTES.saturating_sub(value.len() + 12);
    let note = &format!("{visitor}{id}").repeat(8)[..pad];
    write!(value, r#","note":"{note}"}}}}"#).unwrap();
    record(&format!("demo:{id}"), value)
}

/// User and system time of this process: fields 14 and 15 of `/proc/self/stat`, in hundredths of a second (`proc_pid_stat(5)`).
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}
