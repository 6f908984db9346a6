//! The work: one version after the other, each visible at once by its row in `commits`.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use clickstream_lake::{Change, ErasedRow, Lake, Version};
use clickstream_telemetry::metric;
use clickstream_warehouse::{Commit, Day};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{SettleError, SettleInto};

/// Versions read from the lake's log at a time.
const READ_AHEAD: u64 = 200;
/// Rows that a replay put others in place of are hidden at once, and deleted after so many hours.
const HIDDEN_HOURS: u32 = 24;

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettleReport {
    /// The newest version that reports show; none before the first.
    pub version: Option<u64>,
    /// Versions settled.
    pub versions: u64,
    /// Rows settled.
    pub rows: u64,
    /// Days whose marts were rebuilt (UTC).
    pub days: Vec<String>,
    /// True if nothing was done because ClickHouse is being restored from the lake: run it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
    /// True if time ran out before every version was settled: run it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// Settles one lake in one warehouse.
pub struct Settle {
    lake: Arc<Lake>,
    pub(crate) warehouse: Box<dyn SettleInto>,
    /// One settler at a time in a process; several are safe but waste work.
    one: Mutex<()>,
}

impl Settle {
    /// Settles versions of `lake` in `warehouse`.
    pub fn new(lake: Arc<Lake>, warehouse: impl SettleInto) -> Self {
        Self { lake, warehouse: Box::new(warehouse), one: Mutex::new(()) }
    }

    /// Settles every version that is not, in order, then rebuilds the marts of the days touched. While ClickHouse is
    /// restored from the lake it does nothing: what it settled would go with the tables that are exchanged.
    pub async fn run(&self) -> Result<SettleReport, SettleError> {
        self.run_within(Duration::MAX).await
    }

    /// The same, and no further version is begun after `longest`; what is settled by then gets its marts.
    pub async fn run_within(&self, longest: Duration) -> Result<SettleReport, SettleError> {
        let _one = self.one.lock().await;
        let began = Instant::now();
        let mut report = SettleReport::default();
        let newest = self.lake.snapshot().await?.version;
        let settled = self.warehouse.newest_commit().await?.map(|c| c.version);
        let mut next = settled.map_or(0, |v| v + 1);
        report.version = settled;
        'all: while next <= newest {
            let to = newest.min(next + READ_AHEAD - 1);
            for version in self.lake.versions(next, to).await? {
                if self.warehouse.restoring().await? {
                    report.waits = true;
                    return Ok(report);
                }
                if began.elapsed() > longest {
                    report.more = true;
                    break 'all;
                }
                report.rows += self.settle(&version).await?;
                report.versions += 1;
                report.version = Some(version.version);
            }
            next = to + 1;
        }
        self.rebuild_marts(&mut report).await?;
        if let Err(error) = self.warehouse.drop_replaced(HIDDEN_HOURS).await {
            tracing::warn!(%error, "rows of days that were brought anew stay hidden; the next run deletes them");
        }
        Ok(report)
    }

    /// Loads a version under a new load id and shows it once its rows are all there. A load that a crash cut off
    /// has no row in `commits` and is never seen.
    async fn settle(&self, version: &Version) -> Result<u64, SettleError> {
        let load_id = Uuid::now_v7();
        if let Change::Erase { removed } = &version.change {
            self.warehouse.erase_settled(&self.lake.read_erased(removed).await?).await?;
        }
        if let Change::Expire { before } = &version.change {
            self.expire(*before, version.version).await?;
        }
        let files = version.added();
        let rows: u64 = files.iter().map(|f| f.rows).sum();
        for file in files {
            let bytes = self.lake.read_file(&file.path).await?;
            let token = format!("events/{}/{}/{load_id}", version.version, file.path);
            self.warehouse.insert_settled(bytes, load_id, version.version, &token).await?;
        }
        let loaded = if files.is_empty() { 0 } else { self.warehouse.rows_of_load(load_id).await? };
        if loaded != rows {
            return Err(SettleError::RowsDiffer { version: version.version, lake: rows, warehouse: loaded });
        }
        if let Change::Replay { day, .. } = &version.change {
            // The row in `commits` hides what the day had before and shows what it has now, in one step.
            self.warehouse.replaces_day(version.version, load_id, *day).await?;
        }
        let commit = Commit { version: version.version, load_id, watermarks: version.watermarks.clone(), rows };
        self.warehouse.commit(&commit).await?;
        metrics::counter!(metric::SETTLED_ROWS).increment(rows);
        tracing::info!(version = version.version, rows, "settled");
        Ok(rows)
    }

    /// Rebuilds the marts of every day that versions since the last rebuild touched, also those of a run that died.
    async fn rebuild_marts(&self, report: &mut SettleReport) -> Result<(), SettleError> {
        let left_behind = self.warehouse.finish_rebuilds().await?;
        report.days = left_behind.iter().map(ToString::to_string).collect();
        let pending = self.warehouse.versions_without_marts().await?;
        let (Some((first, _)), Some((newest, _))) = (pending.first(), pending.last()) else { return Ok(()) };
        let mut days: BTreeSet<Day> = BTreeSet::new();
        for (version, (_, load_id)) in self.lake.versions(*first, *newest).await?.iter().zip(&pending) {
            match &version.change {
                Change::Append(_) => days.extend(self.warehouse.days_of_load(*load_id).await?),
                Change::Erase { removed } => days.extend(self.lake.read_erased(removed).await?.iter().filter_map(ErasedRow::day)),
                Change::Replay { happened_on, .. } => days.extend(happened_on),
                // Marts of days that expired stay as they are.
                Change::Rewrite | Change::Expire { .. } => {}
            }
        }
        if !days.is_empty() {
            self.warehouse.rebuild_marts(&days.iter().copied().collect::<Vec<_>>()).await?;
        }
        self.warehouse.marts_rebuilt(*newest).await?;
        days.extend(left_behind);
        report.days = days.iter().map(ToString::to_string).collect();
        Ok(())
    }
}
