//! Functions triggered by the log: a consumer group each, offsets committed after the work.

use std::{future::Future, sync::Arc, time::Duration};

use clickstream_log::{Batch, BatchLimits, EVENTS, INBOUND, LogError, REJECTED, SharedLog};
use clickstream_telemetry::{Function, Origin, metric, trace::KeyValue, watched};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Functions, Parts};
use crate::config::Config;

/// Longest pause between two tries of a batch.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Consumer group of store.
pub const STORE: &str = "store";
/// Consumer group of land.
pub const LAND: &str = "land";
/// Consumer group of intake-topic.
pub const INTAKE_TOPIC: &str = "intake-topic";

/// Starts the consumers of store, land and intake-topic.
pub async fn start(
    parts: &Arc<Parts>,
    functions: &Arc<Functions>,
    config: &Config,
    stop: &CancellationToken,
    work: &TaskTracker,
) -> Result<(), LogError> {
    let small = BatchLimits { max_records: 5_000, max_bytes: 8 << 20, window: Duration::from_millis(200) };
    let landing = BatchLimits { max_records: 50_000, max_bytes: 32 << 20, window: config.land_window };
    let log = &parts.log;

    let f = Arc::clone(functions);
    poll(log, STORE, &[EVENTS, REJECTED], small, stop, work, move |batch| {
        let f = Arc::clone(&f);
        async move { watched(Function::Store, origin(&batch), f.store.handle(&batch)).await.map_err(|e| e.to_string()) }
    })
    .await?;
    let f = Arc::clone(functions);
    poll(log, LAND, &[EVENTS], landing, stop, work, move |batch| {
        let f = Arc::clone(&f);
        async move { watched(Function::Land, origin(&batch), f.land.handle(&batch)).await.map(drop).map_err(|e| e.to_string()) }
    })
    .await?;
    let f = Arc::clone(functions);
    poll(log, INTAKE_TOPIC, &[INBOUND], small, stop, work, move |batch| {
        let f = Arc::clone(&f);
        async move { watched(Function::IntakeTopic, origin(&batch), f.intake_topic.handle(&batch)).await.map_err(|e| e.to_string()) }
    })
    .await
}

/// The spans that made a batch's records.
fn origin(batch: &Batch) -> Origin {
    let carriers = batch.records.iter().map(|logged| logged.record.headers.iter().map(|(name, value)| (name.as_str(), value.as_ref())));
    let attributes = vec![
        KeyValue::new("messaging.destination.name", batch.topic.clone()),
        KeyValue::new("messaging.destination.partition.id", batch.partition.to_string()),
        KeyValue::new("messaging.batch.message_count", batch.records.len() as i64),
    ];
    Origin::carried_by(carriers, attributes)
}

/// Hands batches to `handle` one after another. A batch is tried until it is done: what blocks a
/// group shows as lag, and nothing is skipped.
pub async fn poll<H, F>(
    log: &SharedLog,
    group: &'static str,
    topics: &[&str],
    limits: BatchLimits,
    stop: &CancellationToken,
    work: &TaskTracker,
    handle: H,
) -> Result<(), LogError>
where
    H: Fn(Arc<Batch>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), String>> + Send,
{
    let mut consumer = log.subscribe(group, topics, limits).await?;
    let stop = stop.clone();
    work.spawn(async move {
        loop {
            let batch = tokio::select! {
                () = stop.cancelled() => break,
                batch = consumer.next() => batch,
            };
            let batch = match batch {
                Ok(batch) => Arc::new(batch),
                Err(error) => {
                    tracing::error!(group, %error, "cannot read the log");
                    if pause(&stop, Duration::from_secs(1)).await {
                        break;
                    }
                    continue;
                }
            };
            let mut wait = Duration::from_millis(100);
            let done = loop {
                match handle(Arc::clone(&batch)).await {
                    Ok(()) => break true,
                    Err(error) => {
                        tracing::warn!(
                            group,
                            topic = batch.topic,
                            partition = batch.partition,
                            next_offset = batch.next_offset(),
                            error,
                            "batch failed; trying again"
                        );
                        metrics::counter!(metric::BATCH_FAILURES, "group" => group).increment(1);
                        if pause(&stop, wait).await {
                            break false;
                        }
                        wait = (wait * 2).min(LONGEST_PAUSE);
                    }
                }
            };
            if !done {
                break;
            }
            if let Err(error) = consumer.commit(&batch.topic, batch.partition, batch.next_offset()).await {
                // The batch comes again; every function takes a repeat as done.
                tracing::error!(group, %error, "cannot commit an offset");
                if consumer.rewind(&batch.topic, batch.partition).await.is_err() && pause(&stop, Duration::from_secs(1)).await {
                    break;
                }
            }
        }
    });
    Ok(())
}

/// Waits; true if the service is stopping.
async fn pause(stop: &CancellationToken, wait: Duration) -> bool {
    tokio::select! {
        () = stop.cancelled() => true,
        () = tokio::time::sleep(wait) => false,
    }
}
