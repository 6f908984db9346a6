//! Objects that a bucket's server announces on a topic of the log (MinIO's Kafka target): into the queue, then committed.

use std::{sync::Arc, time::Duration};

use clickstream_log::{BatchLimits, LogError};
use clickstream_triggers::notifications;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Parts, polled::poll};

/// The consumer group.
const GROUP: &str = "notifications";

/// Starts the consumer of `topic`, if the bucket is on a server.
pub async fn start(parts: &Arc<Parts>, topic: &str, stop: &CancellationToken, work: &TaskTracker) -> Result<(), LogError> {
    let Some(queue) = parts.queue.clone() else { return Ok(()) };
    let for_probes = Arc::clone(parts);
    let limits = BatchLimits { max_records: 1_000, max_bytes: 4 << 20, window: Duration::from_millis(100) };
    poll(&parts.log, GROUP, &[topic], limits, stop, work, move |batch| {
        let (queue, parts) = (Arc::clone(&queue), Arc::clone(&for_probes));
        async move {
            let mut announced = Vec::new();
            for record in &batch.records {
                match notifications(&record.record.value) {
                    Ok(objects) => announced.extend(parts.probe.sort_out(objects)),
                    Err(error) => tracing::error!(offset = record.offset, %error, "an announcement of the bucket makes no sense"),
                }
            }
            queue.push(&announced).map(drop).map_err(|error| error.to_string())
        }
    })
    .await
}
