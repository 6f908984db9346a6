//! `demo`: believable traffic into a running service.

use std::time::Duration;

use anyhow::Context as _;
use clickstream_event::Micros;
use clickstream_testkit::traffic::{Traffic, TrafficOptions};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{cli::Demo, client::Service};

/// Sites whose key is their own name, as a service without configuration has them.
const SITES: [&str; 3] = ["demo", "demo-news", "demo-docs"];
/// Events of a request.
const BATCH: usize = 20;

/// Sends until `--count` is reached or the command is interrupted.
pub async fn run(service: &Service, options: &Demo) -> anyhow::Result<()> {
    let now = Micros::now();
    let past = i64::from(options.days) * Micros::DAY;
    let step = match options.count {
        Some(count) if past > 0 => past / count.max(1).cast_signed(),
        _ => 0,
    };
    anyhow::ensure!(options.days == 0 || options.count.is_some(), "--days spreads a number of events over days: name it with --count");
    let sites = SITES.map(str::to_owned).to_vec();
    let mut traffic = Traffic::new(TrafficOptions { seed: options.seed, sites, start: now.plus(-past), step });
    let bar = options.count.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    bar.set_style(ProgressStyle::with_template("{spinner} {bar:40} {pos}/{len} events, {per_sec}")?);
    let began = Instant::now();
    let mut sent = 0_u64;
    let mut waiting: [Vec<Value>; SITES.len()] = Default::default();
    while options.count.is_none_or(|count| sent < count) {
        let mut event = traffic.next_event();
        if options.days == 0 {
            event.at = Micros::now();
        } else {
            event.at = event.at.min(Micros::now());
        }
        let site = SITES.iter().position(|s| *s == event.site).unwrap_or(0);
        waiting[site].push(event.to_segment());
        sent += 1;
        // At low rates a visitor's click should not wait for nineteen others.
        let full = if options.rate > 0 && options.rate < 100 { 1 } else { BATCH };
        if waiting[site].len() >= full {
            send(service, SITES[site], std::mem::take(&mut waiting[site])).await?;
            bar.set_position(sent);
        }
        if options.rate > 0 {
            sleep_until(began + Duration::from_secs_f64(sent as f64 / f64::from(options.rate))).await;
        }
    }
    for (site, events) in SITES.iter().zip(waiting) {
        if !events.is_empty() {
            send(service, site, events).await?;
        }
    }
    bar.finish_and_clear();
    println!("{sent} events of {} sent in {:.1} s", SITES.join(", "), began.elapsed().as_secs_f64());
    Ok(())
}

/// Sends a batch; a service that is busy is given time.
async fn send(service: &Service, site: &str, events: Vec<Value>) -> anyhow::Result<()> {
    let body = json!({ "writeKey": site, "batch": events });
    loop {
        let request = service.post("/v1/batch").json(&body);
        let copy = request.try_clone().context("the request cannot be repeated")?;
        match copy.send().await {
            Ok(answer) if answer.status() == StatusCode::SERVICE_UNAVAILABLE || answer.status() == StatusCode::TOO_MANY_REQUESTS => {
                sleep(Duration::from_secs(1)).await;
            }
            Ok(answer) if answer.status().is_success() => return Ok(()),
            _ => return service.send(request).await.map(|_| ()),
        }
    }
}
