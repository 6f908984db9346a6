//! Topics of the embedded log: records that every group has done, once they are old. Kafka's end by Kafka's own clock.

use std::time::Duration;

use clickstream_event::Micros;
use clickstream_log::{LogError, SharedLog};

use crate::{Applied, KeptTopic, Retention, RetentionError, Topics};

/// Pause between two partitions, which lets appends through.
const PAUSE: Duration = Duration::from_millis(10);

impl Retention {
    pub(crate) async fn topics(&self, dry_run: bool) -> Result<Vec<Applied>, RetentionError> {
        let Some(Topics { log, kept }) = &self.stores.topics else { return Ok(Vec::new()) };
        let mut applied = Vec::new();
        for topic in kept {
            let mut of = Applied::of_days(format!("topic {}", topic.topic), topic.days, "records");
            of.add(expire(log, topic, self.days_ago(topic.days), dry_run).await?);
            applied.push(of);
        }
        Ok(applied)
    }
}

/// Forgets records older than `before` that every group has done; says how many.
async fn expire(log: &SharedLog, topic: &KeptTopic, before: Micros, dry_run: bool) -> Result<u64, LogError> {
    let KeptTopic { topic, groups, .. } = topic;
    let mut removed = 0;
    for extent in log.extents(topic).await? {
        let mut done = extent.end;
        for group in groups {
            let committed = log.committed(group, topic).await?;
            let next = committed.iter().find(|(p, _)| *p == extent.partition).and_then(|(_, next)| *next);
            done = done.min(next.unwrap_or(extent.start));
        }
        let offset = first_at_or_after(log, topic, extent.partition, extent.start, done, before).await?;
        if offset <= extent.start {
            continue;
        }
        removed += offset - extent.start;
        if !dry_run {
            log.expire(topic, extent.partition, offset).await?;
            tracing::info!(topic, partition = extent.partition, offset, "expired records below the offset");
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(removed)
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
