//! What is kept how long: the log once landed and stored, raw objects once settled, the event store.

use std::{sync::Arc, time::Duration};

use clickstream_event::Micros;
use clickstream_log::{EVENTS, INBOUND, LogError, REJECTED, SharedLog};

use super::{Parts, polled};
use crate::config::Config;

/// Rejected records are kept this long.
pub const REJECTED_DAYS: u32 = 30;
/// Rows of `fresh` stay this long after they are settled, hours.
const FRESH_HOURS: u32 = 2;

/// The rules and what they act on.
pub struct Retention {
    parts: Arc<Parts>,
    log_days: u32,
    raw_days: u32,
    event_days: u32,
}

impl Retention {
    /// The rules of `config`.
    pub fn new(parts: &Arc<Parts>, config: &Config) -> Self {
        Self { parts: Arc::clone(parts), log_days: config.log_days, raw_days: config.raw_days, event_days: config.event_days }
    }

    /// Applies every rule once; doing it twice changes nothing.
    pub async fn run(&self) -> anyhow::Result<()> {
        let parts = &self.parts;
        expire_topic(&parts.log, EVENTS, &[polled::STORE, polled::LAND], days_ago(self.log_days)).await?;
        expire_topic(&parts.log, INBOUND, &[polled::INTAKE_TOPIC], days_ago(self.log_days)).await?;
        expire_topic(&parts.log, REJECTED, &[polled::STORE], days_ago(REJECTED_DAYS)).await?;
        parts.store.expire(days_ago(self.event_days), days_ago(REJECTED_DAYS)).await?;
        self.expire_raw().await?;
        parts.warehouse.expire_fresh(FRESH_HOURS).await?;
        parts.warehouse.abandon_loads(24).await?;
        Ok(())
    }

    /// Removes raw objects wholly below the settled watermark and old enough.
    async fn expire_raw(&self) -> anyhow::Result<()> {
        let Some(settled) = self.parts.warehouse.newest_commit().await? else { return Ok(()) };
        let before = days_ago(self.raw_days).0;
        for (place, watermark) in settled.watermarks {
            let Some((log_id, partition)) = place.rsplit_once('/') else { continue };
            let Ok(partition) = partition.parse::<u32>() else { continue };
            let prefix = format!("raw/events/{log_id}/{partition:05}/");
            let mut after = None;
            loop {
                let page = self.parts.objects.list(&prefix, after.as_deref(), 1_000).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.key.clone());
                let old = page.iter().filter(|o| o.modified_at < before && last_offset(&o.key, &prefix).is_some_and(|l| l < watermark));
                for object in old {
                    self.parts.objects.delete(&object.key).await?;
                }
                // Keys are ordered by last offset, which is about by age: past the watermark, or where a whole page is
                // young, there is nothing to expire.
                if page.iter().all(|o| o.modified_at >= before) {
                    break;
                }
                if last_offset(after.as_deref().unwrap_or_default(), &prefix).is_none_or(|l| l >= watermark) {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn days_ago(days: u32) -> Micros {
    Micros::now().plus(-i64::from(days) * Micros::DAY)
}

/// The last offset in a raw key `{prefix}{last:020}-{first:020}.parquet`.
fn last_offset(key: &str, prefix: &str) -> Option<u64> {
    key.strip_prefix(prefix)?.split_once('-')?.0.parse().ok()
}

/// Forgets records older than `before` that every group has done.
async fn expire_topic(log: &SharedLog, topic: &str, groups: &[&str], before: Micros) -> Result<(), LogError> {
    for extent in log.extents(topic).await? {
        let mut done = extent.end;
        for group in groups {
            let committed = log.committed(group, topic).await?;
            let next = committed.iter().find(|(p, _)| *p == extent.partition).and_then(|(_, next)| *next);
            done = done.min(next.unwrap_or(extent.start));
        }
        let offset = first_at_or_after(log, topic, extent.partition, extent.start, done, before).await?;
        if offset > extent.start {
            log.expire(topic, extent.partition, offset).await?;
            tracing::info!(topic, partition = extent.partition, offset, "expired records below the offset");
            // Let appends through between two partitions.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    Ok(())
}

/// The first offset in `[low, high)` that was appended at `before` or later, by bisection; `high` if none was.
async fn first_at_or_after(log: &SharedLog, topic: &str, partition: u32, low: u64, high: u64, before: Micros) -> Result<u64, LogError> {
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low + (high - low) / 2;
        let record = log.read(topic, partition, middle, 1, 1).await?;
        if record.first().is_some_and(|r| r.appended_at < before.0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_key_names_its_last_offset() {
        let prefix = "raw/events/l/00001/";
        assert_eq!(last_offset(&format!("{prefix}{:020}-{:020}.parquet", 41, 7), prefix), Some(41));
        assert_eq!(last_offset("other", prefix), None);
    }
}
