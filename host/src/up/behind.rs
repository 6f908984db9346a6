//! How far the steps are behind, as metrics: asked of the parts by the clock, whether anybody scrapes or not.

use std::{sync::Arc, time::Duration};

use clickstream_telemetry::metric;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Functions, Parts};

/// How often groups and notifications are looked at.
const EVERY: Duration = Duration::from_secs(10);
/// The lake and ClickHouse are looked at every so many times: they change every few minutes.
const OF: u32 = 3;
/// A part that does not answer within this time is away: how far the step is, is not known.
const WITHIN: Duration = Duration::from_secs(8);
/// Prefixes whose objects are announced.
const PREFIXES: [&str; 2] = ["raw/", "inbox/"];

/// Starts the clock. Every host that works looks: each sees the same groups and the same lake, and its own notifications.
pub fn start(parts: &Arc<Parts>, functions: &Arc<Functions>, stop: &CancellationToken, work: &TaskTracker) {
    let (parts, functions, stop) = (Arc::clone(parts), Arc::clone(functions), stop.clone());
    work.spawn(async move {
        let mut clock = interval(EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for turn in (0..OF).cycle() {
            let look = async {
                clock.tick().await;
                groups(&functions).await;
                notifications(&parts).await;
                if turn == 0 {
                    versions(&parts).await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = look => {}
            }
        }
    });
}

async fn groups(functions: &Functions) {
    match timeout(WITHIN, functions.reconcile.lags()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "how far the consumer groups are is not known"),
        Err(_) => tracing::debug!("how far the consumer groups are is not known: the log does not answer"),
    }
}

async fn notifications(parts: &Parts) {
    for prefix in PREFIXES {
        let pending = parts.notifications.pending(prefix).await;
        metrics::gauge!(metric::NOTIFICATIONS_PENDING, "prefix" => prefix).set(pending.map_or(f64::NAN, |count| count as f64));
    }
}

async fn versions(parts: &Parts) {
    let lake = timeout(WITHIN, parts.lake.snapshot()).await.ok().and_then(Result::ok);
    let of_lake = |value: f64| if lake.is_some() { value } else { f64::NAN };
    let files = lake.as_ref().map(|lake| lake.files.as_slice()).unwrap_or_default();
    metrics::gauge!(metric::LAKE_VERSION).set(lake.as_ref().map_or(f64::NAN, |lake| lake.version as f64));
    metrics::gauge!(metric::LAKE_FILES).set(of_lake(files.len() as f64));
    metrics::gauge!(metric::LAKE_BYTES).set(of_lake(files.iter().map(|file| file.size).sum::<u64>() as f64));
    let settled = timeout(WITHIN, parts.warehouse.newest_commit()).await.ok().and_then(Result::ok).flatten();
    metrics::gauge!(metric::SETTLED_VERSION).set(settled.map_or(f64::NAN, |commit| commit.version as f64));
}
