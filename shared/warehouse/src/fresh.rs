//! `fresh`: what was landed and is not yet, or only just, settled.

use bytes::Bytes;
use clickhouse::Row;
use serde::Deserialize;

use crate::{Warehouse, WarehouseError, parquet_rows};

/// Offsets of one log partition that share a partition of `fresh`; stands in `0003_fresh.sql` and `0004_views.sql` too.
pub(crate) const OFFSETS: u64 = 500_000;

#[derive(Row, Deserialize)]
struct Part {
    id: String,
    log_id: String,
    log_partition: u32,
    block: u64,
}

#[derive(Row, Deserialize)]
struct Settled {
    watermarks: Vec<(String, u64)>,
}

/// A partition of `fresh` of which rows below `watermark` go.
struct SettledPart {
    id: String,
    watermark: u64,
    /// All of them do.
    whole: bool,
}

impl Warehouse {
    /// Puts a raw object's events into `fresh`, its dead letters left out, and says how many events it held; they are
    /// durable and visible when it returns. The same or an overlapping object again changes nothing that is visible.
    pub async fn insert_raw(&self, parquet: Bytes) -> Result<u64, WarehouseError> {
        let events = parquet_rows::events(&parquet)?;
        self.insert_parquet("INSERT INTO landing FORMAT Parquet".to_owned(), &[], parquet).await?;
        Ok(events)
    }

    /// Removes from `fresh` what was settled at least `hours_after_settled` ago; says how many partitions of it were
    /// dropped or rewritten. Rows never go by age alone.
    pub async fn expire_fresh(&self, hours_after_settled: u32) -> Result<u64, WarehouseError> {
        let settled = self.settled_parts(hours_after_settled).await?;
        for SettledPart { id, watermark, whole } in &settled {
            if *whole {
                // Nothing can come into it any more but repeats of what is settled.
                self.query(&format!("ALTER TABLE fresh DROP PARTITION ID '{id}'")).execute().await?;
            } else {
                self.query(&format!("ALTER TABLE fresh DELETE IN PARTITION ID '{id}' WHERE log_offset < {watermark}"))
                    .with_setting("mutations_sync", "1")
                    .execute()
                    .await?;
            }
        }
        Ok(settled.len() as u64)
    }

    /// How many partitions [`Warehouse::expire_fresh`] would drop or rewrite.
    pub async fn expirable_fresh(&self, hours_after_settled: u32) -> Result<u64, WarehouseError> {
        Ok(self.settled_parts(hours_after_settled).await?.len() as u64)
    }

    /// Partitions that are settled, wholly or so far that to rewrite them pays.
    async fn settled_parts(&self, hours_after_settled: u32) -> Result<Vec<SettledPart>, WarehouseError> {
        let settled: Option<Settled> = self
            .query("SELECT watermarks FROM commits WHERE committed_at <= now64(6) - toIntervalHour({hours:UInt32}) ORDER BY version DESC, load_id LIMIT 1")
            .param("hours", hours_after_settled)
            .fetch_optional()
            .await?;
        let Some(Settled { watermarks }) = settled else { return Ok(Vec::new()) };
        let parts: Vec<Part> = self
            .query(&format!(
                "SELECT DISTINCT _partition_id AS id, toString(log_id) AS log_id, log_partition, intDiv(log_offset, {OFFSETS}) AS block
                 FROM fresh GROUP BY id, log_id, log_partition, block ORDER BY log_id, log_partition, block"
            ))
            .fetch_all()
            .await?;
        let mut found = Vec::new();
        for part in parts {
            let place = format!("{}/{}", part.log_id, part.log_partition);
            let Some((_, watermark)) = watermarks.iter().find(|(p, _)| *p == place) else { continue };
            let whole = (part.block + 1) * OFFSETS <= *watermark;
            if whole || self.is_half_settled(identifier(&part.id)?, *watermark).await? {
                found.push(SettledPart { id: identifier(&part.id)?.to_owned(), watermark: *watermark, whole });
            }
        }
        Ok(found)
    }

    /// True where rewriting a partition pays: at least half of its rows are below the watermark.
    async fn is_half_settled(&self, id: &str, watermark: u64) -> Result<bool, WarehouseError> {
        let (below, all): (u64, u64) = self
            .query("SELECT countIf(log_offset < {w:UInt64}) AS below, count() AS rows FROM fresh WHERE _partition_id = {id:String}")
            .param("w", watermark)
            .param("id", id)
            .fetch_one()
            .await?;
        Ok(below > 0 && below * 2 >= all)
    }
}

/// A partition's id as ClickHouse makes them: letters, digits and dashes.
fn identifier(id: &str) -> Result<&str, WarehouseError> {
    let plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if plain { Ok(id) } else { Err(WarehouseError::Operator(format!("partition id {id:?} of fresh is not one that ClickHouse makes"))) }
}
