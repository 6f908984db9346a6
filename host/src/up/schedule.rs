//! The scheduler in place of Airflow: compaction, settling, reconciling, vacuum and retention by the clock.

use std::{sync::Arc, time::Duration};

use clickstream_compact::VacuumRequest;
use clickstream_reconcile::ReconcileRequest;
use clickstream_retention::RetentionRequest;
use clickstream_telemetry::{Function, awaited};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Functions, Parts, caught::caught, lease::Lease};
use crate::config::Config;

/// How often retention looks.
const RETENTION_EVERY: Duration = Duration::from_hours(1);
/// How often everything is compared.
const RECONCILE_EVERY: Duration = Duration::from_mins(10);

/// How often the lake is vacuumed.
const VACUUM_EVERY: Duration = Duration::from_hours(1);

/// Starts the clocks.
pub fn start(parts: &Arc<Parts>, functions: &Arc<Functions>, config: &Config, stop: &CancellationToken, work: &TaskTracker) {
    for function in [Function::Compact, Function::Settle, Function::Vacuum, Function::Reconcile, Function::Retention] {
        awaited(function);
    }
    let f = Arc::clone(functions);
    every(
        "compaction",
        config.compact_interval,
        parts,
        stop,
        work,
        || {},
        move || {
            let f = Arc::clone(&f);
            async move { f.compact_and_settle().await.map(drop) }
        },
    );
    let (f, other) = (Arc::clone(functions), Arc::clone(functions));
    every(
        "reconcile",
        RECONCILE_EVERY,
        parts,
        stop,
        work,
        move || other.reconcile.withdraw(),
        move || {
            let f = Arc::clone(&f);
            async move { f.reconcile(ReconcileRequest::default()).await.map(drop) }
        },
    );
    let f = Arc::clone(functions);
    every(
        "vacuum",
        VACUUM_EVERY,
        parts,
        stop,
        work,
        || {},
        move || {
            let f = Arc::clone(&f);
            async move { f.vacuum(VacuumRequest::default()).await.map(drop) }
        },
    );
    let f = Arc::clone(functions);
    every(
        "retention",
        RETENTION_EVERY,
        parts,
        stop,
        work,
        || {},
        move || {
            let f = Arc::clone(&f);
            async move { f.retain(RetentionRequest::default()).await.whole().map(drop).map_err(Into::into) }
        },
    );
}

/// Does `work` every `period`; of hosts that share a bucket, one does. `elsewhere` is told when it is another than before.
fn every<W, F, E>(
    name: &'static str,
    period: Duration,
    parts: &Parts,
    stop: &CancellationToken,
    tracker: &TaskTracker,
    elsewhere: E,
    work: W,
) where
    E: Fn() + Send + 'static,
    W: Fn() -> F + Send + 'static,
    F: Future<Output = anyhow::Result<()>> + Send,
{
    let stop = stop.clone();
    let lease = parts.queue.is_some().then(|| Lease::new(Arc::clone(&parts.objects), name));
    tracker.spawn(async move {
        let mut is_ours = true;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(period) => {}
            }
            let outcome = match &lease {
                // Who holds it renews it in time; when that host is gone, another takes over after two periods.
                Some(lease) => match lease.take(period * 2).await {
                    Ok(false) => {
                        if std::mem::take(&mut is_ours) {
                            elsewhere();
                        }
                        continue;
                    }
                    Ok(true) => {
                        is_ours = true;
                        caught(work()).await
                    }
                    Err(error) => Err(error.to_string()),
                },
                None => caught(work()).await,
            };
            if let Err(error) = outcome {
                tracing::error!(work = name, error, "work by the clock failed; the next run does the same again");
            }
        }
    });
}
