//! Requests of 20 Segment events at a steady rate on a durable log: prints the processor time of taking them and the
//! time to the answer. `take_rate [EVENTS_PER_SECOND] [SECONDS] [FOLDER]`

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use clickstream_collect::{Collector, Limits};
use clickstream_event::{Site, Sites};
use http::Request;
use serde_json::json;

const BATCH: u64 = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut args = std::env::args().skip(1);
    let rate: u64 = args.next().map_or(Ok(10_000), |a| a.parse())?;
    let seconds: u64 = args.next().map_or(Ok(5), |a| a.parse())?;
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from).join(format!("take-rate-{}", std::process::id()));
    let result = runtime.block_on(run(rate, seconds, &folder));
    std::fs::remove_dir_all(&folder)?;
    result
}

async fn run(rate: u64, seconds: u64, folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    let log = clickstream_log::connect(&format!("sqlite:{}", folder.display())).await?;
    let collector = Arc::new(Collector::new(log, Sites::new(vec![Site::new("shop", "k")]), Limits::default()));
    let bodies: Vec<Bytes> = (0..rate * seconds / BATCH).map(|n| batch(n).into()).collect();
    let bytes: usize = bodies.iter().map(Bytes::len).sum();
    let before = processor_seconds()?;
    let began = Instant::now();
    let mut answers = tokio::task::JoinSet::new();
    for (n, body) in bodies.into_iter().enumerate() {
        tokio::time::sleep_until((began + Duration::from_secs_f64(n as f64 * BATCH as f64 / rate as f64)).into()).await;
        let collector = Arc::clone(&collector);
        answers.spawn(async move {
            let asked = Instant::now();
            let request = Request::post("/v1/batch?writeKey=k").header("user-agent", AGENT).body(body).unwrap_or_default();
            let taken = collector.handle(request, None).await.status() == 200;
            (taken, asked.elapsed())
        });
    }
    let mut times = Vec::new();
    while let Some(answer) = answers.join_next().await {
        let (taken, time) = answer?;
        assert!(taken, "a request was not taken");
        times.push(time);
    }
    let (wall, used) = (began.elapsed().as_secs_f64(), processor_seconds()? - before);
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let events = (times.len() as u64 * BATCH) as f64;
    println!("{events} events of {:.0} bytes in {wall:.1} s: {:.0} events/s", bytes as f64 / events, events / wall);
    println!("processor: {:.0} % of a core, {:.0} events per core-second", 100.0 * used / wall, events / used);
    println!("answer: p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms", at(0.5), at(0.95), at(0.99));
    Ok(())
}

const AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";

fn batch(n: u64) -> String {
    let events: Vec<_> = (0..BATCH).map(|i| event(n * BATCH + i)).collect();
    json!({ "sentAt": clickstream_event::Micros::now().to_string(), "batch": events }).to_string()
}

fn event(n: u64) -> serde_json::Value {
    json!({
        "type": "track", "event": "element_clicked", "messageId": format!("{n:08x}-0000-4000-8000-000000000000"),
        "anonymousId": format!("visitor-{}", n % 5_000), "timestamp": clickstream_event::Micros::now().to_string(),
        "context": {
            "page": { "url": "https://shop.example/product/kettle?utm_source=mail&utm_campaign=autumn", "title": "Kettle", "referrer": "https://search.example/" },
            "locale": "en-GB", "sessionId": format!("session-{}", n % 5_000), "library": { "name": "clickstream.js", "version": "0.1.0" }
        },
        "properties": { "element_id": "add-to-cart", "element_kind": "button", "element_text": "Add to cart", "x": n % 900, "y": 420, "viewport_width": 1440, "viewport_height": 900, "price": 39.5 }
    })
}

/// Processor time that this process has used, all threads (`/proc/self/stat`, hundredths of a second).
fn processor_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}
