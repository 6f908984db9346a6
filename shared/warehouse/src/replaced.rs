//! Days that a version brought anew: the rows of lower versions no longer count.

use clickhouse::Row;
use serde::Deserialize;
use uuid::Uuid;

use crate::{Day, Warehouse, WarehouseError};

/// Days deleted by one statement.
const DAYS_AT_ONCE: usize = 100;

#[derive(Row, Deserialize)]
struct Replaced {
    day: String,
    since: u64,
}

#[derive(Row, Deserialize)]
struct Load {
    #[serde(with = "clickhouse::serde::uuid")]
    load: Uuid,
}

impl Warehouse {
    /// Notes that `load_id` holds every row of `version` whose `original_at` lies on `day` (UTC): once the version is
    /// settled by this load ([`Warehouse::commit`]), rows of lower versions on that day are hidden from that moment on.
    /// Twice is once.
    pub async fn replaces_day(&self, version: u64, load_id: Uuid, day: Day) -> Result<(), WarehouseError> {
        self.query("INSERT INTO replaced (version, load_id, day) SELECT {version:UInt64}, {load:UUID}, {day:Date32}")
            .param("version", version)
            .param("load", load_id.to_string())
            .param("day", day.to_string())
            .execute()
            .await?;
        Ok(())
    }

    /// Deletes rows that have been hidden for at least `hours`, because a later version brought their day anew; says of how
    /// many days. Readers never saw them since, and whoever began to read before is done by then.
    pub async fn drop_replaced(&self, hours: u32) -> Result<u64, WarehouseError> {
        let settled: Vec<u64> = self
            .query(
                "SELECT version FROM commits WHERE committed_at <= now64(6) - toIntervalHour({hours:UInt32}) ORDER BY version DESC LIMIT 1",
            )
            .param("hours", hours)
            .fetch_all()
            .await?;
        let Some(settled) = settled.first() else { return Ok(0) };
        let days: Vec<Replaced> = self
            .query(
                "SELECT toString(day) AS day, max(version) AS since FROM replaced
                 WHERE version <= {settled:UInt64}
                   AND load_id IN (SELECT min(load_id) FROM commits WHERE version <= {settled:UInt64} GROUP BY version)
                 GROUP BY day ORDER BY day",
            )
            .param("settled", settled)
            .fetch_all()
            .await?;
        for some in days.chunks(DAYS_AT_ONCE) {
            let mut conditions = Vec::with_capacity(some.len());
            for Replaced { day, since } in some {
                let day: Day = day.parse().map_err(|e| WarehouseError::Operator(format!("ClickHouse gave {day:?} for a day: {e}")))?;
                conditions.push(format!("(lake_version < {since} AND toDate32(original_at, 'UTC') = toDate32('{day}'))"));
            }
            self.delete(&format!("ALTER TABLE events DELETE WHERE {}", conditions.join(" OR "))).await?;
        }
        let noted: u64 =
            self.query("SELECT count() FROM replaced WHERE version <= {settled:UInt64}").param("settled", settled).fetch_one().await?;
        if noted > 0 {
            // What lower versions had is gone. A load that is not settled by now never will be: its version is.
            self.delete(&format!("ALTER TABLE replaced DELETE WHERE version <= {settled}")).await?;
            tracing::info!(days = days.len(), "deleted the rows of days that were brought anew");
        }
        Ok(days.len() as u64)
    }

    /// The load that counts for a version; none where it is not settled.
    pub async fn load_of(&self, version: u64) -> Result<Option<Uuid>, WarehouseError> {
        let load: Option<Load> = self
            .query("SELECT min(load_id) AS load FROM commits WHERE version = {version:UInt64} GROUP BY version")
            .param("version", version)
            .fetch_optional()
            .await?;
        Ok(load.map(|load| load.load))
    }
}
