//! Files of the lake split at a moment: the same rows, those before it in files of their own.

use std::sync::Arc;

use arrow::{
    array::{AsArray as _, BooleanArray, RecordBatch, new_null_array},
    compute::{cast, filter_record_batch},
    datatypes::TimestampMicrosecondType,
};
use bytes::Bytes;
use clickstream_columns::{ColumnsError, event_schema, write_lake_file};
use clickstream_event::Micros;
use clickstream_lake::{Lake, LakeError, LakeFile, NewFile, Rewrite, Snapshot};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::lake::all_stand;
use crate::RetentionError;

/// Rows handled at a time.
const ROWS: usize = 8_192;
/// Tries of one version against other writers.
const TRIES: u32 = 10;

/// Some of a file's rows, as a file.
struct Part {
    bytes: Bytes,
    rows: u64,
    original_at: (Micros, Micros),
    occurred_at: (Micros, Micros),
}

/// Puts two files in place of each of `files`: rows before `bound`, and the rest. [`LakeError::Lost`] if another writer took
/// one of them out of the table.
pub async fn split(lake: &Arc<Lake>, base: &Snapshot, files: Vec<LakeFile>, bound: Micros) -> Result<(), RetentionError> {
    let mut added = Vec::new();
    for file in &files {
        added.extend(parts_of(lake, file, bound).await?);
    }
    let rewrite = Rewrite { removed: files, added, erased: None };
    let mut base = base.clone();
    for _ in 0..TRIES {
        match lake.rewrite(&base, &rewrite).await {
            Ok(version) => {
                tracing::info!(version, files = rewrite.removed.len(), "files of the lake were split");
                return Ok(());
            }
            Err(LakeError::Lost(_)) => base = lake.snapshot().await?,
            Err(error) => return Err(error.into()),
        }
        // The split still holds as long as what it splits stands.
        if !all_stand(&rewrite.removed, &base) {
            break;
        }
    }
    Err(LakeError::Lost(base.version).into())
}

async fn parts_of(lake: &Lake, file: &LakeFile, bound: Micros) -> Result<Vec<NewFile>, RetentionError> {
    let bytes = lake.read_file(&file.path).await?;
    let (mut written, mut rows) = (Vec::new(), 0);
    for before in [true, false] {
        let bytes = bytes.clone();
        let encoded = tokio::task::spawn_blocking(move || part(bytes, |time| (time < bound.0) == before)).await;
        let part = encoded.map_err(|error| LakeError::Unavailable(error.to_string()))??;
        rows += part.rows;
        if part.rows > 0 {
            written.push(lake.write_file(part.bytes, part.rows, part.original_at, part.occurred_at).await?);
        }
    }
    if rows != file.rows {
        return Err(LakeError::Corrupt(format!("{} has {rows} rows where the log says {}", file.path, file.rows)).into());
    }
    Ok(written)
}

/// The rows whose `occurred_at` is wanted, in their order.
fn part(bytes: Bytes, wanted: impl Fn(i64) -> bool) -> Result<Part, ColumnsError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)?.with_batch_size(ROWS).build()?;
    let (mut rows, mut original_at, mut occurred_at) = (0, Extremes::default(), Extremes::default());
    let kept = reader.map(|batch| {
        let batch = in_our_columns(&batch?)?;
        let mask: BooleanArray = times(&batch, "occurred_at")?.iter().map(|time| Some(wanted(*time))).collect();
        let batch = filter_record_batch(&batch, &mask)?;
        rows += batch.num_rows() as u64;
        original_at.take(times(&batch, "original_at")?);
        occurred_at.take(times(&batch, "occurred_at")?);
        Ok(batch)
    });
    let bytes = write_lake_file(kept)?;
    Ok(Part { bytes, rows, original_at: original_at.0.unwrap_or_default(), occurred_at: occurred_at.0.unwrap_or_default() })
}

/// Files of before a column was added have none of it.
fn in_our_columns(batch: &RecordBatch) -> Result<RecordBatch, ColumnsError> {
    let schema = event_schema();
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
        Some(column) => Ok(cast(column, field.data_type())?),
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
    });
    let columns = columns.collect::<Result<Vec<_>, ColumnsError>>()?;
    Ok(RecordBatch::try_new(schema, columns)?)
}

fn times<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a [i64], ColumnsError> {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    Ok(column.ok_or(ColumnsError::Column(name))?.values())
}

/// The least and the greatest of some times.
#[derive(Default)]
struct Extremes(Option<(Micros, Micros)>);

impl Extremes {
    fn take(&mut self, times: &[i64]) {
        for time in times.iter().copied().map(Micros) {
            let (least, greatest) = self.0.unwrap_or((time, time));
            self.0 = Some((least.min(time), greatest.max(time)));
        }
    }
}
