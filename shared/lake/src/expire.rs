//! Days that leave the table because they are too old: a version of its own removes files all of whose rows are.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{AsArray as _, RecordBatch},
    datatypes::{Int32Type, Int64Type, TimestampMicrosecondType},
};
use clickstream_columns::ColumnsError;
use clickstream_event::Micros;
use deltalake_core::{kernel::transaction::CommitData, logstore::commit_uri_from_version, protocol::DeltaOperation};
use jiff::{civil::Date, tz::TimeZone};
use object_store::ObjectStoreExt as _;
use serde_json::json;

use crate::{
    Counts, Lake, LakeError, LakeFile, Snapshot,
    actions::{self, EXPIRED},
    commit::said,
    counts::COUNTS,
    place,
};

/// Rows by `{log_id}/{partition}`.
pub type RowsByPlace = BTreeMap<String, u64>;

/// What an expiring version does.
#[derive(Clone, Debug)]
pub struct Expiry {
    /// The first day (UTC, by `occurred_at`) that stays.
    pub before: Date,
    /// Files of the snapshot that go: all their rows happened before that day, and no other file has such rows.
    pub removed: Vec<LakeFile>,
    /// Their rows, of those that were counted ([`Lake::counted_rows`]).
    pub rows: RowsByPlace,
}

/// The moment at which a day begins, UTC.
pub fn begin_of(day: Date) -> Micros {
    Micros(TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).map_or(i64::MIN, jiff::Timestamp::as_microsecond))
}

impl Lake {
    /// Removes files whose days are too old as the version after `base`; [`LakeError::Lost`] as for [`Lake::commit`].
    /// Their rows are counted as expired.
    pub async fn expire(&self, base: &Snapshot, expiry: &Expiry) -> Result<u64, LakeError> {
        let mut counts = self.counts(base.version).await?;
        for (place, rows) in &expiry.rows {
            if let Some(counts) = counts.get_mut(place) {
                let expired = (*rows).min(counts.rows);
                counts.rows -= expired;
                counts.expired += expired;
            }
        }
        let mut said = said(&base.watermarks);
        said.insert(EXPIRED.to_owned(), json!(expiry.before));
        if !counts.is_empty() {
            said.insert(COUNTS.to_owned(), json!(counts));
        }
        let actions = expiry.removed.iter().map(|file| actions::remove(file, true)).collect();
        let operation = DeltaOperation::Delete { predicate: Some(format!("occurred_at < '{}'", expiry.before)) };
        self.write(base.version + 1, CommitData::new(actions, operation, said, Vec::new())).await
    }

    /// Rows of a file by partition, of those whose offsets `counts` count; no more of it is read than that takes.
    pub async fn counted_rows(self: &Arc<Self>, file: &LakeFile, counts: &Counts) -> Result<RowsByPlace, LakeError> {
        let mut rows = RowsByPlace::new();
        let all_count = counts.values().all(|counts| counts.since == 0);
        let columns: &[&str] = if all_count { &["log_id", "log_partition"] } else { &["log_id", "log_partition", "log_offset"] };
        let take = |batch: &RecordBatch| take(batch, counts, all_count, &mut rows);
        self.read_groups(file, columns, |_, _| true, take).await?;
        Ok(rows)
    }

    /// How many rows of a file happened before `moment`.
    pub async fn rows_before(self: &Arc<Self>, file: &LakeFile, moment: Micros) -> Result<u64, LakeError> {
        let mut rows = 0;
        let look = |batch: &RecordBatch| {
            let times = batch.column_by_name("occurred_at").and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
            rows += times.ok_or(ColumnsError::Column("occurred_at"))?.values().iter().filter(|time| **time < moment.0).count() as u64;
            Ok(())
        };
        self.read_groups(file, &["occurred_at"], |_, _| true, look).await?;
        Ok(rows)
    }

    /// When the version was committed; none if its commit file is gone, and so is long settled.
    pub async fn committed_at(&self, version: u64) -> Result<Option<Micros>, LakeError> {
        match self.files.head(&commit_uri_from_version(Some(version))).await {
            Ok(found) => Ok(Some(Micros(found.last_modified.timestamp_micros()))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Adds a batch's rows.
fn take(batch: &RecordBatch, counts: &Counts, all_count: bool, rows: &mut RowsByPlace) -> Result<(), ColumnsError> {
    let column = |name: &'static str| batch.column_by_name(name).ok_or(ColumnsError::Column(name));
    let logs = column("log_id")?.as_string_opt::<i32>().ok_or(ColumnsError::Column("log_id"))?;
    let partitions = column("log_partition")?.as_primitive_opt::<Int32Type>().ok_or(ColumnsError::Column("log_partition"))?;
    let offsets = if all_count {
        None
    } else {
        Some(column("log_offset")?.as_primitive_opt::<Int64Type>().ok_or(ColumnsError::Column("log_offset"))?.values())
    };
    // Rows of a few partitions take turns: what is known of each is looked up once a batch.
    let mut of: BTreeMap<(&str, i32), (u64, u64)> = BTreeMap::new();
    for (row, (log, partition)) in logs.iter().zip(partitions.values()).enumerate() {
        let log = log.unwrap_or_default();
        let (since, count) = of.entry((log, *partition)).or_insert_with(|| {
            let counted = counts.get(&place(log, partition.cast_unsigned()));
            (counted.map_or(u64::MAX, |counts| counts.since), 0)
        });
        if offsets.map_or(*since != u64::MAX, |offsets| offsets[row].cast_unsigned() >= *since) {
            *count += 1;
        }
    }
    for ((log, partition), (_, count)) in of.into_iter().filter(|(_, (_, count))| *count > 0) {
        *rows.entry(place(log, partition.cast_unsigned())).or_default() += count;
    }
    Ok(())
}
