//! Raw objects into ClickHouse's table `fresh`: what a lost notification left out.
//!
//! An object that is loaded already changes nothing: `fresh` keeps one row of an event.

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_columns::{raw_offsets, raw_prefix};
use clickstream_erasure::{Erased, ErasureError};
use clickstream_log::EVENTS;
use clickstream_telemetry::metric;
use clickstream_warehouse::{Warehouse, WarehouseError};
use uuid::Uuid;

use crate::{Replay, ReplayError, ReplayReport};

/// Objects listed at a time.
const PAGE: usize = 1_000;

/// Where raw objects are loaded, and what it says of itself.
#[async_trait]
pub trait LoadRaw: Send + Sync + 'static {
    /// The next offset of a partition that is not settled yet; everything below it is of no use in `fresh`.
    async fn settled_to(&self, log_id: &str, partition: u32) -> Result<u64, WarehouseError>;
    /// Loads one object; answers its rows.
    async fn load(&self, parquet: Bytes) -> Result<u64, WarehouseError>;
    /// How many of these events, by site and id, are there already.
    async fn known(&self, events: &[(String, Uuid)]) -> Result<u64, WarehouseError>;
    /// The newest migration of its tables; none where it does not say.
    async fn schema_version(&self) -> Result<Option<u32>, WarehouseError> {
        Ok(None)
    }
    /// The load by which it shows a version of the lake; none where it does not.
    async fn load_of(&self, version: u64) -> Result<Option<Uuid>, WarehouseError> {
        let _ = version;
        Ok(None)
    }
}

#[async_trait]
impl LoadRaw for Warehouse {
    async fn settled_to(&self, log_id: &str, partition: u32) -> Result<u64, WarehouseError> {
        let newest = self.newest_commit().await?;
        Ok(newest.and_then(|commit| commit.watermarks.get(&format!("{log_id}/{partition}")).copied()).unwrap_or(0))
    }

    async fn load(&self, parquet: Bytes) -> Result<u64, WarehouseError> {
        self.insert_raw(parquet).await
    }

    async fn known(&self, events: &[(String, Uuid)]) -> Result<u64, WarehouseError> {
        Self::known(self, events).await
    }

    async fn schema_version(&self) -> Result<Option<u32>, WarehouseError> {
        Self::schema_version(self).await
    }

    async fn load_of(&self, version: u64) -> Result<Option<Uuid>, WarehouseError> {
        Self::load_of(self, version).await
    }
}

/// Which offsets are loaded again.
pub struct Range {
    pub partition: Option<u32>,
    pub from: u64,
    pub to: u64,
}

pub async fn replay(replay: &Replay, range: &Range, dry_run: bool, erased: &Erased) -> Result<ReplayReport, ReplayError> {
    let partitions: Vec<u32> = replay.log.extents(EVENTS).await?.iter().map(|extent| extent.partition).collect();
    if let Some(partition) = range.partition.filter(|p| !partitions.contains(p)) {
        return Err(ReplayError::Partition(partition, partitions.len()));
    }
    let mut report = ReplayReport { dry_run, ..ReplayReport::default() };
    for partition in partitions.into_iter().filter(|p| range.partition.is_none_or(|wanted| wanted == *p)) {
        load_partition(replay, partition, range, erased, &mut report).await?;
    }
    Ok(report)
}

async fn load_partition(
    replay: &Replay,
    partition: u32,
    range: &Range,
    erased: &Erased,
    report: &mut ReplayReport,
) -> Result<(), ReplayError> {
    let log_id = replay.log.log_id().await?;
    let settled_to = replay.warehouse.settled_to(&log_id, partition).await?;
    if range.from < settled_to {
        tracing::info!(partition, settled_to, "what is settled is not loaded again");
    }
    let prefix = raw_prefix(&log_id, partition);
    // Keys begin with the last offset: this is before the first object that has an offset from there on.
    let mut after = format!("{prefix}{:020}", range.from.max(settled_to));
    loop {
        let page = replay.objects.list(&prefix, Some(&after), PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.key);
        for object in &page {
            let Some((first, _)) = raw_offsets(&object.key) else {
                tracing::warn!(key = object.key, "this is no raw object; left out");
                continue;
            };
            if first >= range.to {
                continue;
            }
            report.read += 1;
            report.taken += 1;
            if !report.dry_run {
                let (_, parquet) = replay.objects.get(&object.key).await?;
                // Objects of people who are erased are rewritten, and this may be before that.
                replay.warehouse.load(erased.without(parquet).map_err(ErasureError::from)?).await?;
                metrics::counter!(metric::REPLAYED, "source" => "raw", "outcome" => "taken").increment(1);
            }
        }
    }
}
