//! The function unspill: run when something was spilled, when the log is back, and by the clock.

use std::{sync::Arc, time::Duration};

use clickstream_objects::Delivery;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Functions, Parts, caught::caught};

/// How often it looks without being told.
const EVERY: Duration = Duration::from_secs(30);
/// Notifications taken at once; they say no more than that something is there.
const AT_ONCE: usize = 1_000;

/// Starts the one task that returns spilled events; one at a time keeps them in order.
pub fn start(parts: &Arc<Parts>, functions: &Arc<Functions>, stop: &CancellationToken, work: &TaskTracker) {
    let (parts, functions, stop) = (Arc::clone(parts), Arc::clone(functions), stop.clone());
    work.spawn(async move {
        let mut clock = interval(EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut log_is_away = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = clock.tick() => {}
                () = functions.collect.log_is_back() => {}
                told = parts.notifications.receive(clickstream_spill::PREFIX, AT_ONCE) => {
                    match told {
                        Ok(told) => forget(&parts, &told).await,
                        Err(error) => {
                            tracing::error!(%error, "cannot receive notifications of spilled events");
                            sleep(Duration::from_secs(1)).await;
                        }
                    }
                    // While the log is away every request spills, and each is announced.
                    if log_is_away {
                        continue;
                    }
                }
            }
            let outcome = caught(functions.return_spilled()).await;
            log_is_away = outcome.is_err();
            if let Err(error) = outcome {
                tracing::warn!(error, "spilled events wait; the next run does the same again");
            }
        }
    });
}

/// The objects themselves are the queue: a notification that was seen has done its work.
async fn forget(parts: &Parts, told: &[Delivery]) {
    let ids: Vec<_> = told.iter().map(|delivery| delivery.id).collect();
    if let Err(error) = parts.notifications.acknowledge(&ids).await {
        tracing::error!(%error, "cannot acknowledge notifications of spilled events; they come again");
    }
}
