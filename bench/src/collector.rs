//! Any collector that writes events to Kafka: what it takes, what that costs, and whether its topic holds all of it.

use std::sync::Arc;

use clickstream_log::SharedLog;
use tokio::sync::watch;

use crate::{
    Collector, batches::Batches, connection::Connection, freshness::Picker, process::Process, report::thousands, sending::send,
    watch::Watch,
};

/// Sends as `options` say, looks into the topic, and prints a row: name, events a second, events per core-second of the
/// collector, p50, p99, its memory at the peak, the broker's processor time an event, events acknowledged and in the topic.
pub async fn run(options: &Collector) -> anyhow::Result<()> {
    let traffic = &options.traffic;
    let log = clickstream_log::connect(&options.log).await?;
    log.create_topic(&options.topic, options.partitions).await?;
    let before = held(&log, &options.topic).await?;
    let batches = Arc::new(Batches::of(traffic.batch));

    let (done, over) = watch::channel(());
    let collector = Watch::silent(Process(options.target.pid), over.clone());
    let broker = Watch::silent(Process(options.broker), over);
    let connect = || Connection::to_collector(&options.target.url, &options.path, traffic.batch);
    // Nobody asks for what is picked.
    let (picker, _) = Picker::new();
    let tally = send(traffic, &batches, connect, &Arc::new(picker)).await?;
    drop(done);
    let (collector, broker) = (collector.end().await?, broker.end().await?);
    let logged = held(&log, &options.topic).await? - before;

    let milliseconds = |quantile: f64| tally.times.value_at_quantile(quantile) as f64 / 1e3;
    let rate = |seconds: f64| thousands((tally.kept as f64 / seconds.max(f64::MIN_POSITIVE)) as u64);
    println!(
        "| {} | {} | {} | {:.1} ms | {:.1} ms | {} MiB | {:.0} µs | {} and {} | {} |",
        options.name,
        rate(tally.took),
        rate(collector.processor_seconds),
        milliseconds(0.5),
        milliseconds(0.99),
        collector.last.peak,
        broker.micros_each(tally.kept),
        thousands(tally.kept),
        thousands(logged),
        tally.failed(),
    );
    // A request that failed may have been logged all the same.
    let most = tally.kept + tally.failed() * traffic.batch;
    anyhow::ensure!((tally.kept..=most).contains(&logged), "{} events were acknowledged, {logged} are in the topic", tally.kept);
    Ok(())
}

/// Records that `topic` holds.
async fn held(log: &SharedLog, topic: &str) -> anyhow::Result<u64> {
    Ok(log.extents(topic).await?.iter().map(|extent| extent.end - extent.start).sum())
}
