//! Files of the inbox whose announcement was lost: looked for where the bucket is on a server, and queued.

use std::{sync::Arc, time::Duration};

use clickstream_intake_files::missed;
use clickstream_objects::{ObjectError, SharedObjects, embedded::NotificationQueue};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::Parts;

/// How often the inbox is looked through, the first time at the start.
const EVERY: Duration = Duration::from_mins(5);

/// Starts the clock. An embedded bucket loses no announcement.
pub fn start(parts: &Arc<Parts>, stop: &CancellationToken, work: &TaskTracker) {
    let Some(queue) = parts.queue.clone() else { return };
    let (parts, stop) = (Arc::clone(parts), stop.clone());
    work.spawn(async move {
        let mut clock = interval(EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = clock.tick() => {}
            }
            tokio::select! {
                () = stop.cancelled() => break,
                swept = sweep(&parts.objects, &queue) => match swept {
                    Ok(0) => {}
                    Ok(files) => tracing::info!(files, "files of the inbox without a receipt were queued"),
                    Err(error) => tracing::warn!(%error, "the inbox cannot be looked through; the next run does it"),
                }
            }
        }
    });
}

/// Queues every file without a receipt. One that is taken meanwhile has its receipt when it comes to it.
async fn sweep(objects: &SharedObjects, queue: &NotificationQueue) -> Result<usize, ObjectError> {
    let (mut queued, mut after) = (0, None);
    loop {
        let page = missed(objects, after.as_deref()).await?;
        queued += queue.push_found(page.files)?;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(queued),
        }
    }
}
