//! Erasures that were begun and are not done: gone on with after a restart, and when a part was away.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use clickstream_erase::Settles;
use clickstream_settle::Settle;
use clickstream_telemetry::{Function, Origin, watched};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Functions, Parts, caught::caught, lease::Lease};

/// How often it looks, the first time at the start.
const EVERY: Duration = Duration::from_secs(30);

/// Settles for an erasure that waits for it, and for a replay of days.
pub struct SettleNow(pub Arc<Settle>);

#[async_trait]
impl Settles for SettleNow {
    async fn settle(&self) -> Result<(), String> {
        watched(Function::Settle, Origin::Current, self.0.run()).await.map(drop).map_err(|error| error.to_string())
    }
}

#[async_trait]
impl clickstream_replay::Settles for SettleNow {
    async fn settle(&self) -> Result<(), String> {
        Settles::settle(self).await
    }
}

/// Starts the clock; of hosts that share a bucket, one goes on with what another left.
pub fn start(parts: &Arc<Parts>, functions: &Arc<Functions>, stop: &CancellationToken, work: &TaskTracker) {
    let (functions, stop) = (Arc::clone(functions), stop.clone());
    let lease = parts.queue.is_some().then(|| Lease::new(Arc::clone(&parts.objects), "erasures"));
    work.spawn(async move {
        loop {
            let ours = match &lease {
                Some(lease) => lease.take(EVERY * 4).await.unwrap_or(false),
                None => true,
            };
            if ours {
                tokio::select! {
                    () = stop.cancelled() => break,
                    done = caught(watched(Function::Erase, Origin::Current, functions.erase.resume())) => match done {
                        Ok(0) => {}
                        Ok(finished) => tracing::info!(finished, "erasures that had been begun are done"),
                        Err(error) => tracing::warn!(error, "erasures wait; the next run goes on with them"),
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    });
}
