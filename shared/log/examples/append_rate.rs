//! Appends of 20 records of about 900 bytes at a steady rate while two groups consume: prints
//! latency and processor time. `append_rate [RECORDS_PER_SECOND] [SECONDS] [FOLDER] [COMMIT_INTERVAL_MS]`

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use clickstream_log::{
    BatchLimits, Log, Record,
    sqlite::{SqliteLog, SqliteLogOptions},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut args = std::env::args().skip(1);
    let rate: u64 = args.next().map_or(Ok(10_000), |a| a.parse())?;
    let seconds: u64 = args.next().map_or(Ok(10), |a| a.parse())?;
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let mut options = SqliteLogOptions::default();
    if let Some(interval) = args.next() {
        options.commit_interval = Duration::from_millis(interval.parse()?);
    }
    let folder = folder.join(format!("append-rate-{}", std::process::id()));
    let result = runtime.block_on(run(rate, seconds, &folder, options));
    std::fs::remove_dir_all(&folder)?;
    result
}

async fn run(rate: u64, seconds: u64, folder: &std::path::Path, options: SqliteLogOptions) -> Result<(), Box<dyn std::error::Error>> {
    let log = SqliteLog::open_with(folder, options)?;
    log.create_topic("events", 4).await?;
    for group in ["land", "store"] {
        let limits = BatchLimits { max_records: 5_000, max_bytes: 8 << 20, window: Duration::from_secs(1) };
        let mut consumer = log.subscribe(group, &["events"], limits).await?;
        tokio::spawn(async move {
            while let Ok(batch) = consumer.next().await {
                if consumer.commit(&batch.topic, batch.partition, batch.next_offset()).await.is_err() {
                    return;
                }
            }
        });
    }
    let batches: Vec<Vec<Record>> = (0..rate * seconds / 20).map(|n| (0..20).map(|i| record(n * 20 + i)).collect()).collect();
    let before = processor_seconds()?;
    let began = Instant::now();
    let mut appends = tokio::task::JoinSet::new();
    for (n, records) in batches.into_iter().enumerate() {
        let due = began + Duration::from_secs_f64(n as f64 * 20.0 / rate as f64);
        tokio::time::sleep_until(due.into()).await;
        let log = log.clone();
        appends.spawn(async move {
            let began = Instant::now();
            log.append("events", records).await.map(|_| began.elapsed())
        });
    }
    let mut latencies = appends.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let elapsed = began.elapsed().as_secs_f64();
    let processor = processor_seconds()? - before;
    latencies.sort_unstable();
    let at = |q: f64| latencies[((latencies.len() - 1) as f64 * q) as usize];
    let bytes: u64 = std::fs::read_dir(folder)?.filter_map(|f| Some(f.ok()?.metadata().ok()?.len())).sum();
    println!(
        "{:.0} records/s for {elapsed:.1} s: p50 {:?}, p99 {:?}, max {:?}; {:.1} % of a core (user {:.1}, system {:.1}); {} bytes of files per record",
        (latencies.len() * 20) as f64 / elapsed,
        at(0.5),
        at(0.99),
        at(1.0),
        processor.total() / elapsed * 100.0,
        processor.user / elapsed * 100.0,
        processor.system / elapsed * 100.0,
        bytes / (latencies.len() as u64 * 20),
    );
    log.close().await;
    Ok(())
}

/// An event's JSON in size and in how much of it repeats.
fn record(n: u64) -> Record {
    let id = uuid::Uuid::new_v4();
    let value = format!(
        r#"{{"event_id":"{id}","site_id":"demo","action":"click","name":"Added to cart","original_at":"2026-11-24T12:00:{:02}.{:06}Z","occurred_at":"2026-11-24T12:00:{:02}.{:06}Z","sent_at":"2026-11-24T12:00:01.000000Z","received_at":"2026-11-24T12:00:01.{:06}Z","session_id":"s-{}","anonymous_id":"{}","user_id":"user-{}","url":"https://shop.example/products/{}?utm_source=mail","path":"/products/{}","page_title":"Product {}","utm_source":"mail","element_id":"buy-{}","element_kind":"button","element_text":"Add to cart","x":{},"y":{},"viewport_width":1280,"viewport_height":720,"device_type":"desktop","os":"Windows","browser":"Firefox","bot":false,"ip":"203.0.113.0","user_agent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0","locale":"en-GB","library":"clickstream.js/0.1","source":"http","verdict":"valid","properties":{{"price":{}.99,"currency":"EUR"}}}}"#,
        n % 60,
        n % 1_000_000,
        n % 60,
        n % 999_983,
        n % 999_979,
        n % 5_000,
        uuid::Uuid::from_u128(u128::from(n % 5_000) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
        n % 3_000,
        n % 700,
        n % 700,
        n % 700,
        n % 50,
        n % 1_280,
        n % 3_000,
        n % 100,
    );
    Record { key: Some(format!("demo:{id}").into()), value: value.into(), headers: Vec::new() }
}

struct ProcessorTime {
    user: f64,
    system: f64,
}

impl ProcessorTime {
    fn total(&self) -> f64 {
        self.user + self.system
    }
}

impl std::ops::Sub for ProcessorTime {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { user: self.user - other.user, system: self.system - other.system }
    }
}

/// Fields 14 and 15 of `/proc/self/stat`, in hundredths of a second (`proc_pid_stat(5)`).
fn processor_seconds() -> Result<ProcessorTime, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    Ok(ProcessorTime { user: fields[11].parse::<f64>()? / 100.0, system: fields[12].parse::<f64>()? / 100.0 })
}
