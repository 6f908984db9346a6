//! Gaps in raw/ that the log can fill: its records, landed once more.

use clickstream_columns::{RawRow, raw_batch, raw_key, raw_metadata, write_raw_object};
use clickstream_event::Event;
use clickstream_log::{EVENTS, LoggedRecord};
use clickstream_objects::{Condition, ObjectError, PutOptions};

use super::repair;
use crate::{LedgerGap, Reconcile, ReconcileError, Repair};

/// Records of one object.
const RECORDS: usize = 20_000;
/// Bytes of one object's records, about.
const BYTES: usize = 16 << 20;

impl Reconcile {
    /// Lands the records of each gap that the log still holds. A record that is missing in the log itself stays a gap.
    pub(crate) async fn refill(&self, gaps: &[LedgerGap], dry_run: bool) -> Result<Vec<Repair>, ReconcileError> {
        let mut repairs = Vec::new();
        for gap in gaps.iter().filter(|gap| gap.in_log) {
            let filled = if dry_run { gap.to - gap.from } else { self.fill(gap).await? };
            if filled > 0 {
                let what = format!("partition {} offsets {}-{}", gap.log_partition, gap.from, gap.from + filled);
                repairs.push(repair("refilled_gap", what, filled, dry_run));
            }
        }
        Ok(repairs)
    }

    /// How many offsets it filled.
    async fn fill(&self, gap: &LedgerGap) -> Result<u64, ReconcileError> {
        let mut next = gap.from;
        while next < gap.to {
            let mut read = self.sources.log.read(EVENTS, gap.log_partition, next, RECORDS, BYTES).await?;
            read.retain(|record| record.offset < gap.to);
            // Offsets of one object have no hole.
            let whole = (next..).zip(&read).take_while(|(offset, record)| *offset == record.offset).count();
            read.truncate(whole);
            let Some(last) = read.last().map(|record| record.offset) else {
                tracing::error!(partition = gap.log_partition, offset = next, "the log does not give a record that it should hold");
                break;
            };
            self.put(gap.log_partition, &read).await?;
            next = last + 1;
        }
        Ok(next - gap.from)
    }

    /// Writes one object, as land does: under a name that stands once.
    async fn put(&self, partition: u32, read: &[LoggedRecord]) -> Result<(), ReconcileError> {
        let (Some(first), Some(last)) = (read.first(), read.last()) else { return Ok(()) };
        let (log_id, first, last) = (self.sources.log_id.clone(), first.offset, last.offset);
        let erased = self.sources.tombstones.fresh().await?;
        let key = raw_key(&log_id, partition, first, last);
        let mut rows: Vec<(u64, RawRow)> = read.iter().map(|record| (record.offset, row(record))).collect();
        let mut metadata = raw_metadata(&log_id, &rows);
        metadata.insert("refilled".to_owned(), "true".to_owned());
        erased.forget(&mut rows);
        let encoded = tokio::task::spawn_blocking(move || write_raw_object(&raw_batch(&log_id, partition, &rows)?));
        let bytes = encoded.await.map_err(|e| ObjectError::Unavailable(e.to_string()))?;
        let bytes = bytes.map_err(|cause| ReconcileError::Columns { key: key.clone(), cause })?;
        let content_type = Some("application/vnd.apache.parquet".to_owned());
        match self.sources.objects.put(&key, bytes, PutOptions { condition: Condition::Absent, content_type, metadata }).await {
            Ok(_) | Err(ObjectError::PreconditionFailed(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn row(record: &LoggedRecord) -> RawRow {
    match serde_json::from_slice::<Event>(&record.record.value) {
        Ok(event) => RawRow::Event(Box::new(event)),
        Err(_) => RawRow::DeadLetter(record.record.value.to_vec()),
    }
}
