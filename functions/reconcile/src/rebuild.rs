//! ClickHouse and the event store anew from the lake.
//!
//! ClickHouse's rows are copied out of sight, compared with the lake's by count and hash per site and day, and exchanged
//! in one step: readers see what was before or all of what is now. Cut off anywhere, a second run does it whole. While
//! it goes on nothing is settled.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arrow::{
    array::{ArrayRef, BinaryArray, RecordBatch, new_null_array},
    compute::cast,
};
use bytes::Bytes;
use clickstream_columns::{ColumnsError, event_schema, raw_schema, read_parquet, records};
use clickstream_event::Logged;
use clickstream_lake::{LakeError, Snapshot, place};
use clickstream_objects::ObjectError;
use clickstream_warehouse::{Commit, Day, Fingerprint, fingerprint};
use jiff::ToSpan as _;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{Reconcile, ReconcileError, RestoreInto, raw};

/// Tries against others who settle all the same.
const TRIES: u32 = 3;
/// Longest wait for another restoration; one that died is known to be dead after half a minute.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// Rows handled at a time.
const ROWS: usize = 4_096;

/// What to rebuild.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RebuildPart {
    /// ClickHouse.
    Warehouse,
    /// The event store.
    Store,
}

/// Out of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RebuildFrom {
    /// The lake.
    #[default]
    Lake,
}

/// What to rebuild out of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RebuildRequest {
    /// Out of what: `lake`.
    pub from: RebuildFrom,
    /// Only `warehouse` or only `store`; both if neither is named.
    pub only: Option<RebuildPart>,
}

/// What was rebuilt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebuildReport {
    /// The lake's version that ClickHouse shows.
    pub version: Option<u64>,
    /// Files of the lake that were read.
    pub files: u64,
    /// Settled rows, equal to the lake's by count and hash per site and day.
    pub rows: u64,
    /// Sites and days that were compared.
    pub compared: u64,
    /// Raw objects that were loaded once more: what is not in the lake yet.
    pub loaded_objects: u64,
    /// Events put into the event store.
    pub stored: u64,
}

impl Reconcile {
    /// Rebuilds. Doing it twice changes nothing.
    pub async fn rebuild(&self, request: RebuildRequest) -> Result<RebuildReport, ReconcileError> {
        let _one = self.one.lock().await;
        let mut report = RebuildReport::default();
        if request.only != Some(RebuildPart::Store) {
            report = self.restore_warehouse().await?;
            let loaded = self.load_what_was_missed(&self.known().await?, Duration::ZERO, false).await?;
            report.loaded_objects = loaded.len() as u64;
        }
        if request.only != Some(RebuildPart::Warehouse) {
            report.stored = self.restore_store().await?;
        }
        tracing::info!(?report, "rebuilt from the lake");
        Ok(report)
    }

    /// Restores the settled tables and the marts.
    pub(crate) async fn restore_warehouse(&self) -> Result<RebuildReport, ReconcileError> {
        let warehouse = &self.sources.warehouse;
        warehouse.restore_tables().await?;
        for _ in 0..TRIES {
            if let Some(report) = self.exchange().await? {
                warehouse.rebuild_all_marts().await?;
                return Ok(report);
            }
        }
        Err(ReconcileError::Crowded)
    }

    /// Copies and exchanges. None if a version was settled meanwhile.
    async fn exchange(&self) -> Result<Option<RebuildReport>, ReconcileError> {
        let warehouse = &self.sources.warehouse;
        self.wait_for_others().await?;
        let commit = warehouse.newest_commit().await?;
        let newest = self.sources.lake.snapshot().await?;
        let stands = self.stands(commit.as_ref(), newest.version).await?;
        let snapshot = match stands {
            Some(version) if version != newest.version => self.sources.lake.snapshot_at(version).await?,
            _ => newest,
        };
        let rows: u64 = snapshot.files.iter().map(|file| file.rows).sum();
        let shadow = warehouse.shadow(snapshot.version).await?;
        let rewrites = stands.is_none() || (rows > 0 && !shadow.is_counted());
        let row = Commit { version: snapshot.version, load_id: uuid::Uuid::nil(), watermarks: snapshot.watermarks.clone(), rows };
        let exchanged = async {
            let compared = self.copy(shadow.as_ref(), &snapshot).await?;
            if warehouse.newest_commit().await? != commit {
                return Ok(None);
            }
            shadow.exchange(rewrites.then_some(&row)).await?;
            Ok::<_, ReconcileError>(Some(compared))
        };
        let exchanged = exchanged.await;
        shadow.end().await?;
        let Some(compared) = exchanged? else { return Ok(None) };
        // Whoever settled without waiting wrote into the table that went.
        let after = warehouse.newest_commit().await?.map(|commit| commit.version);
        if after == Some(snapshot.version) && warehouse.settled_rows().await? != rows {
            return Ok(None);
        }
        let files = snapshot.files.len() as u64;
        Ok(Some(RebuildReport { version: Some(snapshot.version), files, rows, compared, ..RebuildReport::default() }))
    }

    /// The newest version in `commits` if its row is what the lake says.
    async fn stands(&self, commit: Option<&Commit>, newest: u64) -> Result<Option<u64>, ReconcileError> {
        let Some(commit) = commit.filter(|commit| commit.version <= newest) else { return Ok(None) };
        match self.sources.lake.versions(commit.version, commit.version).await {
            Ok(versions) => Ok(versions.first().is_some_and(|v| v.watermarks == commit.watermarks).then_some(commit.version)),
            Err(LakeError::Corrupt(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn wait_for_others(&self) -> Result<(), ReconcileError> {
        let began = Instant::now();
        while began.elapsed() < LONGEST_WAIT && self.sources.warehouse.restoring().await? {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    /// Copies the lake's files and compares; says how many sites and days are equal.
    async fn copy(&self, shadow: &dyn RestoreInto, snapshot: &Snapshot) -> Result<u64, ReconcileError> {
        let mut here = Fingerprint::new();
        for file in &snapshot.files {
            let bytes = self.sources.lake.read_file(&file.path).await?;
            here = hashed(here, file.path.clone(), bytes.clone()).await?;
            shadow.insert(bytes).await?;
        }
        let there = shadow.fingerprint().await?;
        if let Some((site, day)) = fingerprint::difference(&here, &there) {
            let day = Day::constant(1970, 1, 1).checked_add(day.days()).map_or_else(|_| day.to_string(), |day| day.to_string());
            return Err(ReconcileError::Differs { site, day });
        }
        Ok(here.len() as u64)
    }

    /// Puts every event of the lake, and of raw objects that are not in it yet, into the event store.
    async fn restore_store(&self) -> Result<u64, ReconcileError> {
        let snapshot = self.sources.lake.snapshot().await?;
        let mut stored = 0;
        for file in &snapshot.files {
            let bytes = self.sources.lake.read_file(&file.path).await?;
            let (send, mut batches) = mpsc::channel::<Vec<Logged>>(2);
            let path = file.path.clone();
            let reading = tokio::task::spawn_blocking(move || -> Result<(), ReconcileError> {
                each_batch(&path, bytes, |batch| {
                    let events = logged(batch)?;
                    // Who receives them stopped with an error, which is told there.
                    let _ = send.blocking_send(events);
                    Ok(())
                })
            });
            while let Some(mut events) = batches.recv().await {
                // Asked for each batch: an erasure that begins meanwhile goes through the event store soon, and only once more.
                let erased = self.sources.tombstones.fresh().await?;
                events.retain(|logged| !erased.erases(&logged.event));
                self.sources.store.put_events(&events).await?;
                stored += events.len() as u64;
            }
            reading.await.map_err(|e| ObjectError::Unavailable(e.to_string()))??;
        }
        stored += self.store_what_is_not_compacted(&snapshot).await?;
        Ok(stored)
    }

    async fn store_what_is_not_compacted(&self, snapshot: &Snapshot) -> Result<u64, ReconcileError> {
        let log_id = &self.sources.log_id;
        let mut stored = 0;
        for extent in self.sources.log.extents(clickstream_log::EVENTS).await? {
            let watermark = snapshot.watermarks.get(&place(log_id, extent.partition)).copied().unwrap_or(0);
            for object in raw::objects_from(&self.sources.objects, log_id, extent.partition, watermark).await? {
                let erased = self.sources.tombstones.fresh().await?;
                let (_, bytes) = self.sources.objects.get(&object.key).await?;
                let columns = |cause| ReconcileError::Columns { key: object.key.clone(), cause };
                for batch in read_parquet(bytes).map_err(columns)? {
                    let rows = records(&batch).map_err(columns)?.into_iter().filter_map(clickstream_columns::RawRecord::logged);
                    let events: Vec<Logged> =
                        rows.filter(|logged| logged.log_offset >= watermark && !erased.erases(&logged.event)).collect();
                    for some in events.chunks(ROWS) {
                        self.sources.store.put_events(some).await?;
                        stored += some.len() as u64;
                    }
                }
            }
        }
        Ok(stored)
    }
}

/// Adds a lake file's rows to a fingerprint, on a thread that may compute.
async fn hashed(mut fingerprint: Fingerprint, path: String, bytes: Bytes) -> Result<Fingerprint, ReconcileError> {
    let hashed = tokio::task::spawn_blocking(move || {
        each_batch(&path, bytes, |batch| fingerprint::add(&mut fingerprint, batch))?;
        Ok(fingerprint)
    });
    hashed.await.map_err(|e| ObjectError::Unavailable(e.to_string()))?
}

/// Hands out a lake file's rows some at a time, in the columns' plain types.
fn each_batch(path: &str, bytes: Bytes, mut take: impl FnMut(&RecordBatch) -> Result<(), ColumnsError>) -> Result<(), ReconcileError> {
    let columns = |cause| ReconcileError::Columns { key: path.to_owned(), cause };
    let read = ParquetRecordBatchReaderBuilder::try_new(bytes).and_then(|file| file.with_batch_size(ROWS).build());
    for batch in read.map_err(|e| columns(e.into()))? {
        let batch = batch.map_err(|e| columns(e.into()))?;
        take(&plain(&batch).map_err(columns)?).map_err(columns)?;
    }
    Ok(())
}

/// The columns of an event in the types of the schema; a column that an older file lacks is null.
fn plain(batch: &RecordBatch) -> Result<RecordBatch, ColumnsError> {
    let column = |field: &Arc<arrow::datatypes::Field>| -> Result<ArrayRef, ColumnsError> {
        match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
            Some(column) => Ok(cast(column, field.data_type())?),
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        }
    };
    let columns = event_schema().fields().iter().map(column).collect::<Result<Vec<_>, _>>()?;
    Ok(RecordBatch::try_new(event_schema(), columns)?)
}

/// The events of a lake batch.
fn logged(batch: &RecordBatch) -> Result<Vec<Logged>, ColumnsError> {
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(BinaryArray::new_null(batch.num_rows())));
    let rows = records(&RecordBatch::try_new(raw_schema(), columns)?)?;
    Ok(rows.into_iter().filter_map(clickstream_columns::RawRecord::logged).collect())
}
