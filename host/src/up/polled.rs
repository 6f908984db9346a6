//! Functions triggered by the log: a consumer group each, offsets committed after the work.

use std::{future::Future, sync::Arc, time::Duration};

use clickstream_log::{Batch, BatchLimits, EVENTS, INBOUND, LogError, REJECTED, SharedLog};
use clickstream_telemetry::{Function, Origin, metric, trace::KeyValue, watched};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Functions, Parts, caught::caught};
use crate::config::Config;

/// Longest pause between two tries of a batch.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long the first try of a batch may take; each further one twice as long as the one before. What hangs is given up and
/// done again, as on Lambda, and what is only slow gets its time.
const FIRST_TRY: Duration = Duration::from_mins(2);
/// Longest time of a try.
const LONGEST_TRY: Duration = Duration::from_mins(16);

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
            let (mut wait, mut time) = (Duration::from_millis(100), FIRST_TRY);
            let done = loop {
                match within(time, caught(handle(Arc::clone(&batch)))).await {
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
                        time = (time * 2).min(LONGEST_TRY);
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

/// One try, which may take so long.
async fn within(time: Duration, work: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    timeout(time, work).await.unwrap_or_else(|_| Err(format!("it took longer than {time:?}")))
}

/// Waits; true if the service is stopping.
async fn pause(stop: &CancellationToken, wait: Duration) -> bool {
    tokio::select! {
        () = stop.cancelled() => true,
        () = tokio::time::sleep(wait) => false,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use clickstream_log::{Record, connect};

    use super::*;

    #[tokio::test]
    async fn a_try_that_hangs_is_given_up() {
        let hangs = within(Duration::from_millis(1), std::future::pending()).await;
        assert_eq!(hangs, Err("it took longer than 1ms".to_owned()));
        assert_eq!(within(FIRST_TRY, async { Ok(()) }).await, Ok(()));
    }

    #[tokio::test]
    async fn a_batch_whose_work_panics_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let log = connect(&format!("sqlite:{}", folder.path().display())).await.unwrap();
        log.append(INBOUND, vec![Record { value: Bytes::from_static(b"{}"), ..Record::default() }]).await.unwrap();
        let (stop, work, tries) = (CancellationToken::new(), TaskTracker::new(), Arc::new(AtomicUsize::new(0)));
        let limits = BatchLimits { max_records: 10, max_bytes: 1_000, window: Duration::ZERO };
        let counted = Arc::clone(&tries);
        let panics_once = move |_| {
            let tries = Arc::clone(&counted);
            async move { if tries.fetch_add(1, Ordering::Relaxed) == 0 { panic!("a fault of ours") } else { Ok(()) } }
        };
        poll(&log, INTAKE_TOPIC, &[INBOUND], limits, &stop, &work, panics_once).await.unwrap();
        let committed = async {
            while !log.committed(INTAKE_TOPIC, INBOUND).await.unwrap().iter().any(|(_, next)| *next == Some(1)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(30), committed).await.unwrap();
        assert_eq!(tries.load(Ordering::Relaxed), 2);
        stop.cancel();
        work.close();
        work.wait().await;
    }
}
