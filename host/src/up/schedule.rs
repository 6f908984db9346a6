//! The scheduler in place of Airflow: compaction, settling and retention by the clock.

use std::{sync::Arc, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Functions, Parts, retention::Retention};
use crate::config::Config;

/// How often retention looks.
const RETENTION_EVERY: Duration = Duration::from_hours(1);

/// Starts the clocks.
pub fn start(parts: &Arc<Parts>, functions: &Arc<Functions>, config: &Config, stop: &CancellationToken, work: &TaskTracker) {
    let f = Arc::clone(functions);
    every(config.compact_interval, stop, work, move || {
        let f = Arc::clone(&f);
        async move {
            if let Err(error) = f.compact_and_settle().await {
                tracing::error!(error = format!("{error:#}"), "compaction failed; the next run does the same again");
            }
        }
    });
    let retention = Arc::new(Retention::new(parts, config));
    every(RETENTION_EVERY, stop, work, move || {
        let retention = Arc::clone(&retention);
        async move {
            if let Err(error) = retention.run().await {
                tracing::error!(error = format!("{error:#}"), "retention failed; the next run does the same again");
            }
        }
    });
}

fn every<W, F>(period: Duration, stop: &CancellationToken, tracker: &TaskTracker, work: W)
where
    W: Fn() -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let stop = stop.clone();
    tracker.spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(period) => {}
            }
            work().await;
        }
    });
}
