//! Functions triggered by bucket notifications: load on raw/, intake-files on inbox/.

use std::{future::Future, sync::Arc, time::Duration};

use clickstream_objects::{Notification, Notifications};
use clickstream_telemetry::{Function, Origin, metric, watched};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Functions, Parts, caught::caught};

/// Notifications taken at once.
const AT_ONCE: usize = 16;

/// Starts the receivers.
pub fn start(parts: &Arc<Parts>, functions: &Arc<Functions>, stop: &CancellationToken, work: &TaskTracker) {
    let f = Arc::clone(functions);
    receive(&parts.notifications, "raw/", Function::Load, stop, work, move |n| {
        let f = Arc::clone(&f);
        // Its span goes on with the one that stands beside the object, which load finds there.
        let untraced = Origin::carried_by([[]], Vec::new());
        async move { watched(Function::Load, untraced, f.load.handle(&n)).await.map(drop).map_err(|e| e.to_string()) }
    });
    let f = Arc::clone(functions);
    receive(&parts.notifications, "inbox/", Function::IntakeFiles, stop, work, move |n| {
        let f = Arc::clone(&f);
        async move { watched(Function::IntakeFiles, Origin::Current, f.intake_files.handle(&n)).await.map(drop).map_err(|e| e.to_string()) }
    });
}

/// Hands notifications under `prefix` to `handle`; a failed one comes again, later each time.
fn receive<H, F>(
    notifications: &Arc<dyn Notifications>,
    prefix: &'static str,
    function: Function,
    stop: &CancellationToken,
    work: &TaskTracker,
    handle: H,
) where
    H: Fn(Notification) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), String>> + Send,
{
    let notifications = Arc::clone(notifications);
    let stop = stop.clone();
    work.spawn(async move {
        loop {
            let deliveries = tokio::select! {
                () = stop.cancelled() => break,
                deliveries = notifications.receive(prefix, AT_ONCE) => deliveries,
            };
            let deliveries = match deliveries {
                Ok(deliveries) => deliveries,
                Err(error) => {
                    tracing::error!(prefix, %error, "cannot receive notifications");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
            };
            let mut done = Vec::with_capacity(deliveries.len());
            for delivery in deliveries {
                let key = delivery.notification.key.clone();
                if delivery.attempts > 0 {
                    metrics::counter!(metric::NOTIFICATION_RETRIES, "function" => function.as_str()).increment(1);
                }
                let outcome = if stop.is_cancelled() { Err("stopping".to_owned()) } else { caught(handle(delivery.notification)).await };
                match outcome {
                    Ok(()) => done.push(delivery.id),
                    Err(error) => {
                        tracing::warn!(key, attempts = delivery.attempts, error, "notification failed; it comes again");
                        let delay = Duration::from_millis(200 << delivery.attempts.min(8));
                        if let Err(error) = notifications.refuse(delivery.id, delay).await {
                            tracing::error!(%error, "cannot refuse a notification");
                        }
                    }
                }
            }
            if let Err(error) = notifications.acknowledge(&done).await {
                tracing::error!(prefix, %error, "cannot acknowledge notifications; they come again");
            }
        }
    });
}
