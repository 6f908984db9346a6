//! Parquet files without the rows of who is forgotten.

use arrow::{
    array::{Array as _, AsArray as _},
    compute::{filter_record_batch, not},
};
use bytes::Bytes;
use clickstream_columns::{ColumnsError, RawRow, raw_batch, read_columns, read_parquet, records, write_raw_object};
use clickstream_objects::{Condition, ObjectError, PutOptions, SharedObjects};

use crate::{Erased, ErasureError, erased::whole_numbers};

/// Metadata of a raw object that was rewritten: when it was landed, µs since 1970. A write changes when it was modified, and
/// retention counts from when it was landed.
pub const LANDED_AT: &str = "landed-at";

/// What stands in place of an erased row, so that offsets stay whole: a dead letter of these bytes.
pub const ERASED: &[u8] = b"erased";

impl Erased {
    /// The rows of a Parquet file that are erased, counted; reads no more columns than needed.
    pub fn count(&self, parquet: &Bytes) -> Result<u64, ColumnsError> {
        if self.is_empty() {
            return Ok(0);
        }
        let mut rows = 0;
        for batch in read_columns(parquet.clone(), &Self::COLUMNS)? {
            rows += self.mask(&batch)?.map_or(0, |mask| mask.true_count());
        }
        Ok(rows as u64)
    }
}

impl Erased {
    /// Puts dead letters in place of erased events, so that offsets stay whole; says how many.
    pub fn forget(&self, rows: &mut [(u64, RawRow)]) -> u64 {
        if self.is_empty() {
            return 0;
        }
        let mut gone = 0;
        for (_, row) in rows {
            if let RawRow::Event(event) = row
                && self.erases(event)
            {
                gone += 1;
                *row = RawRow::DeadLetter(ERASED.to_vec());
            }
        }
        gone
    }

    /// Offsets of a raw object whose rows are erased, or were before: the dead letters in their place.
    pub fn offsets(&self, parquet: &Bytes) -> Result<Vec<u64>, ColumnsError> {
        let mut found = Vec::new();
        let columns: Vec<&str> = Self::COLUMNS.iter().copied().chain(["log_offset", "dead_letter"]).collect();
        for batch in read_columns(parquet.clone(), &columns)? {
            let mask = self.mask(&batch)?;
            let offsets = whole_numbers(&batch, "log_offset")?;
            let dead =
                batch.column_by_name("dead_letter").and_then(|c| c.as_binary_opt::<i32>()).ok_or(ColumnsError::Column("dead_letter"))?;
            let gone =
                |row: &usize| mask.as_ref().is_some_and(|mask| mask.value(*row)) || (dead.is_valid(*row) && dead.value(*row) == ERASED);
            found.extend((0..batch.num_rows()).filter(gone).map(|row| offsets[row].cast_unsigned()));
        }
        Ok(found)
    }
}

/// A raw object's bytes with dead letters in place of erased rows, and how many there are; none where nothing is erased.
pub fn forget_rows(parquet: &Bytes, log_id: &str, erased: &Erased) -> Result<Option<(Bytes, u64)>, ColumnsError> {
    if erased.count(parquet)? == 0 {
        return Ok(None);
    }
    let (mut rows, mut partition) = (Vec::new(), 0);
    for batch in read_parquet(parquet.clone())? {
        for record in records(&batch)? {
            partition = record.log_partition;
            rows.push((record.log_offset, record.row));
        }
    }
    let gone = erased.forget(&mut rows);
    Ok(Some((write_raw_object(&raw_batch(log_id, partition, &rows)?)?, gone)))
}

/// Rewrites the raw object `key` with dead letters in place of erased rows; says how many. Its metadata stays, so that
/// the batch it was landed from is known again. Whoever wrote it meanwhile is looked at again.
pub async fn rewrite_raw(objects: &SharedObjects, key: &str, erased: &Erased) -> Result<u64, ErasureError> {
    if erased.is_empty() {
        return Ok(0);
    }
    let log_id = key.strip_prefix("raw/events/").and_then(|rest| rest.split('/').next()).unwrap_or_default().to_owned();
    loop {
        let (info, bytes) = match objects.get(key).await {
            Ok(found) => found,
            Err(ObjectError::NotFound(_)) => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        let (by, of) = (erased.clone(), log_id.clone());
        let forgotten = tokio::task::spawn_blocking(move || forget_rows(&bytes, &of, &by)).await;
        let Some((bytes, rows)) = forgotten.map_err(|e| ObjectError::Unavailable(e.to_string()))?? else { return Ok(0) };
        let mut metadata = info.metadata;
        metadata.entry(LANDED_AT.to_owned()).or_insert_with(|| info.modified_at.to_string());
        let options = PutOptions {
            condition: Condition::Matches(info.etag),
            content_type: Some("application/vnd.apache.parquet".to_owned()),
            metadata,
        };
        match objects.put(key, bytes, options).await {
            Ok(_) => return Ok(rows),
            Err(ObjectError::PreconditionFailed(_) | ObjectError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

impl Erased {
    /// A Parquet file of raw rows without those that are erased; the same bytes where none is.
    pub fn without(&self, parquet: Bytes) -> Result<Bytes, ColumnsError> {
        if self.count(&parquet)? == 0 {
            return Ok(parquet);
        }
        let mut kept = Vec::new();
        for batch in read_parquet(parquet)? {
            kept.push(match self.mask(&batch)? {
                Some(mask) => filter_record_batch(&batch, &not(&mask)?)?,
                None => batch,
            });
        }
        let schema = clickstream_columns::raw_schema();
        write_raw_object(&arrow::compute::concat_batches(&schema, &kept)?)
    }
}
