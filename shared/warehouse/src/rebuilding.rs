//! One rebuild of marts: noted before it swaps anything, and taken over by another if it never ends.
//!
//! A run computes numbers, swaps them in, and then looks whether a newer version was settled meanwhile. If it dies before
//! that look, while whoever settled the newer version has already noted the marts as rebuilt, older numbers would stay.
//! So a run is noted in `rebuilds` with its days before its first swap, and as ended after its last look. What never
//! ended is taken over: its staging tables are dropped, after which it can swap nothing, and its days are computed anew.

use std::time::Duration;

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Day, Warehouse, WarehouseError,
    closing::open_from,
    marts::{MARTS, Mart, runs, today, widened},
    report::{Source, over},
    settled::days_of,
};

/// Day 0 of ClickHouse's type Date.
const EPOCH: Day = Day::constant(1970, 1, 1);

/// ClickHouse's code for a REPLACE PARTITION that would empty one.
const BAD_ARGUMENTS: u32 = 36;
/// The setting by which it does.
const EMPTY_SOURCE: &str = "allow_replace_partition_from_empty_source";

/// A run under way.
pub(crate) struct Rebuild<'a> {
    warehouse: &'a Warehouse,
    pub(crate) run: Uuid,
    days: Vec<Day>,
    /// The first day whose events are all there.
    kept_from: Option<Day>,
}

#[derive(Row, Serialize)]
struct Noted {
    #[serde(with = "clickhouse::serde::uuid")]
    run: Uuid,
    /// Days since 1970, as ClickHouse keeps them.
    days: Vec<u16>,
    ended: bool,
}

#[derive(Row, Deserialize)]
struct LeftBehind {
    #[serde(with = "clickhouse::serde::uuid")]
    run: Uuid,
    days: Vec<String>,
}

#[derive(Row, Deserialize)]
struct Restored {
    #[serde(with = "clickhouse::serde::uuid")]
    run: Uuid,
}

#[derive(Row, Deserialize)]
struct Name {
    name: String,
}

impl<'a> Rebuild<'a> {
    /// Makes the run's staging tables, then notes it: who takes it over finds all that it can ever swap from.
    pub(crate) async fn begin(warehouse: &'a Warehouse, days: &[Day]) -> Result<Self, WarehouseError> {
        let kept_from = warehouse.kept_from().await?;
        let rebuild = Self { warehouse, run: Uuid::now_v7(), days: days.to_vec(), kept_from };
        for mart in &MARTS {
            let staging = rebuild.staging(mart);
            warehouse.query(&format!("CREATE TABLE {staging} AS {}", mart.table)).execute().await?;
        }
        warehouse.note_rebuilds(&[rebuild.run], days, false).await?;
        Ok(rebuild)
    }

    fn staging(&self, mart: &Mart) -> String {
        format!("{}{}", prefix(self.run), mart.table)
    }

    /// The days of a mart that are computed, none that is closed.
    fn wanted(&self, mart: &Mart) -> Vec<Vec<Day>> {
        let open_from = self.kept_from.and_then(|kept| open_from(mart, kept));
        let mut days = widened(&self.days, mart, today());
        days.retain(|day| open_from.is_none_or(|first| *day >= first));
        runs(&days)
    }

    /// Fills the staging tables and swaps day after day in.
    pub(crate) async fn days_of_all(&self) -> Result<(), WarehouseError> {
        for mart in &MARTS {
            for days in self.wanted(mart) {
                self.fill(mart, &days).await?;
                self.swap(mart, &days).await?;
            }
        }
        Ok(())
    }

    /// Fills the staging tables and exchanges them for the marts.
    pub(crate) async fn exchange_all(&self) -> Result<(), WarehouseError> {
        for mart in &MARTS {
            for days in self.wanted(mart) {
                self.fill(mart, &days).await?;
            }
            self.keep_closed_days(mart).await?;
            self.warehouse.query(&format!("EXCHANGE TABLES {} AND {}", mart.table, self.staging(mart))).execute().await?;
        }
        Ok(())
    }

    /// Computes days into the staging table.
    pub(crate) async fn fill(&self, mart: &Mart, days: &[Day]) -> Result<(), WarehouseError> {
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(()) };
        self.warehouse
            .large_query(&format!("INSERT INTO {} {}", self.staging(mart), over(mart.select, Source::Settled)))
            .with_setting("max_partitions_per_insert_block", "0")
            .param("from", first.to_string())
            .param("to", last.to_string())
            .execute()
            .await?;
        Ok(())
    }

    /// Swaps computed days in. A day without rows becomes empty.
    pub(crate) async fn swap(&self, mart: &Mart, days: &[Day]) -> Result<(), WarehouseError> {
        for day in days {
            let sql = format!("ALTER TABLE {} REPLACE PARTITION '{day}' FROM {}", mart.table, self.staging(mart));
            match self.warehouse.query(&sql).execute().await.map_err(WarehouseError::from) {
                // Newer versions want to be told that an empty day is meant; older ones do not know the setting.
                Err(WarehouseError::Refused { code: BAD_ARGUMENTS, message }) if message.contains(EMPTY_SOURCE) => {
                    self.warehouse.query(&sql).with_setting(EMPTY_SOURCE, "1").execute().await?;
                }
                outcome => outcome?,
            }
        }
        Ok(())
    }

    /// Days that are closed stay as they were.
    async fn keep_closed_days(&self, mart: &Mart) -> Result<(), WarehouseError> {
        let Some(open_from) = self.kept_from.and_then(|kept| open_from(mart, kept)) else { return Ok(()) };
        self.warehouse
            .query(&format!("INSERT INTO {} SELECT * FROM {} WHERE day < {{open:Date}}", self.staging(mart), mart.table))
            .with_setting("max_partitions_per_insert_block", "0")
            .param("open", open_from.to_string())
            .execute()
            .await?;
        Ok(())
    }

    /// Removes the staging tables. If it fails they go when the run is taken over, or after a day.
    pub(crate) async fn drop_staging(&self) -> Result<(), WarehouseError> {
        self.warehouse.drop_staging_of(self.run).await
    }
}

/// A day as ClickHouse's type Date counts it.
pub(crate) fn days_since_epoch(day: Day) -> Option<u16> {
    u16::try_from(EPOCH.until(day).ok()?.get_days()).ok()
}

/// What the names of a run's staging tables begin with.
fn prefix(run: Uuid) -> String {
    format!("staging_{}_", run.simple())
}

impl Warehouse {
    /// Takes over rebuilds that were begun at least `older_than` ago and never ended, and computes their days anew; says
    /// which. One that still runs fails at its next swap.
    pub async fn finish_rebuilds(&self, older_than: Duration) -> Result<Vec<Day>, WarehouseError> {
        self.drop_old_staging().await?;
        let left: Vec<LeftBehind> = self
            .query(
                "SELECT run, arrayMap(d -> toString(d), argMin(days, at)) AS days FROM rebuilds GROUP BY run
                 HAVING NOT max(ended) AND min(at) <= now64(6) - toIntervalMillisecond({age:UInt64}) ORDER BY run",
            )
            .param("age", older_than.as_millis() as u64)
            .fetch_all()
            .await?;
        let mut days = Vec::new();
        for run in &left {
            // From here on it can swap nothing: REPLACE PARTITION needs the table, and DROP waits for what still reads it.
            self.drop_staging_of(run.run).await?;
            days.extend(days_of(&run.days)?);
        }
        days.sort_unstable();
        days.dedup();
        if !days.is_empty() {
            tracing::warn!(runs = left.len(), days = days.len(), "rebuilds of marts never ended; their days are computed anew");
            self.rebuild_marts(&days).await?;
        }
        let runs: Vec<Uuid> = left.iter().map(|run| run.run).collect();
        self.rebuilds_ended(&runs, &days).await?;
        Ok(days)
    }

    pub(crate) async fn rebuilds_ended(&self, runs: &[Uuid], days: &[Day]) -> Result<(), WarehouseError> {
        self.note_rebuilds(runs, days, true).await
    }

    /// Restorations whose rows are in place, and whose marts nobody has rebuilt yet.
    pub(crate) async fn restored(&self) -> Result<Vec<Uuid>, WarehouseError> {
        let restored: Vec<Restored> = self
            .query(
                "SELECT run FROM rebuilds WHERE run IN (SELECT run FROM restorations GROUP BY run HAVING max(ended))
                 GROUP BY run HAVING NOT max(ended)",
            )
            .fetch_all()
            .await?;
        Ok(restored.into_iter().map(|restored| restored.run).collect())
    }

    pub(crate) async fn note_rebuilds(&self, runs: &[Uuid], days: &[Day], ended: bool) -> Result<(), WarehouseError> {
        if runs.is_empty() {
            return Ok(());
        }
        let days: Vec<u16> = days.iter().filter_map(|day| days_since_epoch(*day)).collect();
        let mut insert = self.client().insert::<Noted>("rebuilds").await?;
        for run in runs {
            insert.write(&Noted { run: *run, days: days.clone(), ended }).await?;
        }
        Ok(insert.end().await?)
    }

    async fn drop_staging_of(&self, run: Uuid) -> Result<(), WarehouseError> {
        for mart in &MARTS {
            self.query(&format!("DROP TABLE IF EXISTS {}{} SYNC", prefix(run), mart.table)).execute().await?;
        }
        Ok(())
    }

    /// Staging tables of runs that died before they were noted.
    async fn drop_old_staging(&self) -> Result<(), WarehouseError> {
        let old: Vec<Name> = self
            .query(
                "SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'staging_')
                 AND metadata_modification_time < now() - toIntervalDay(1)",
            )
            .fetch_all()
            .await?;
        for table in old {
            if crate::config::is_identifier(&table.name) {
                self.query(&format!("DROP TABLE IF EXISTS {} SYNC", table.name)).execute().await?;
            }
        }
        Ok(())
    }
}
