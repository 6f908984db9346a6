//! Parquet bytes.

use std::sync::Arc;

use arrow::{array::RecordBatch, datatypes::Schema};
use bytes::Bytes;
use clickstream_event::Micros;
use parquet::{
    arrow::{ArrowWriter, ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, Encoding, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder},
    schema::types::ColumnPath,
};

use crate::{RawRow, to_arrow::batch_of};

/// Rows of a group in a raw object and in a lake file.
pub(crate) const GROUP_ROWS: usize = 128 * 1024;
/// Rows that are made columns at a time: few enough that their events stay in the processor's cache meanwhile.
const CHUNK_ROWS: usize = 1_024;
/// Columns whose neighbours differ by little and hardly ever repeat.
const ASCENDING: [&str; 3] = ["original_at", "occurred_at", "log_offset"];
/// Columns with statistics: sites, times and places, nothing that names a person.
const STATISTICS: [&str; 6] = ["site_id", "original_at", "occurred_at", "received_at", "log_partition", "log_offset"];

/// Why columns could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum ColumnsError {
    /// Arrow.
    #[error("arrow: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// Parquet.
    #[error("parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// A column is missing or of another type than ours.
    #[error("column {0} is missing or of a wrong type")]
    Column(&'static str),
    /// A row that is neither an event nor a dead letter.
    #[error("row {row} is no event: {why}")]
    Row {
        /// Its index.
        row: usize,
        /// What is wrong.
        why: String,
    },
}

fn properties() -> Result<WriterPropertiesBuilder, ColumnsError> {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(GROUP_ROWS));
    for column in STATISTICS {
        builder = builder.set_column_statistics_enabled(ColumnPath::from(column), EnabledStatistics::Chunk);
    }
    // Ids, times and offsets hardly repeat: a dictionary of them is only built to be thrown away.
    for column in ["event_id", "properties"].into_iter().chain(ASCENDING) {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(column), false);
    }
    for column in ASCENDING {
        builder = builder.set_column_encoding(ColumnPath::from(column), Encoding::DELTA_BINARY_PACKED);
    }
    Ok(builder)
}

/// One raw object, zstd.
pub fn write_raw_object(batch: &RecordBatch) -> Result<Bytes, ColumnsError> {
    write(batch.schema(), [Ok(batch.clone())], properties()?.build())
}

/// The rows `(offset, row)` of one partition as a raw object, zstd. Sorted by site and time, columns compress better and
/// compaction merges sorted runs; dead letters come first.
pub fn write_raw_rows(log_id: &str, partition: u32, rows: &[(u64, RawRow)]) -> Result<Bytes, ColumnsError> {
    // Keys beside each other: to compare rows where they stand is to wait for memory.
    let mut keyed: Vec<_> = rows.iter().map(|row| (order(&row.1), row.0, row)).collect();
    keyed.sort_by_key(|(key, offset, _)| (*key, *offset));
    let sorted: Vec<&(u64, RawRow)> = keyed.into_iter().map(|(_, _, row)| row).collect();
    write(crate::raw_schema(), sorted.chunks(CHUNK_ROWS).map(|rows| batch_of(log_id, partition, rows)), properties()?.build())
}

fn order(row: &RawRow) -> Option<(&str, Micros)> {
    row.event().map(|event| (event.site_id.as_str(), event.original_at))
}

/// How lake files are written: as raw objects are, with a bloom filter on `event_id`.
pub(crate) fn lake_properties() -> Result<WriterProperties, ColumnsError> {
    Ok(properties()?.set_column_bloom_filter_enabled(ColumnPath::from("event_id"), true).build())
}

/// One lake file, zstd, with a bloom filter on `event_id`. Batches are taken one at a time.
pub fn write_lake_file(batches: impl IntoIterator<Item = Result<RecordBatch, ColumnsError>>) -> Result<Bytes, ColumnsError> {
    write(crate::event_schema(), batches, lake_properties()?)
}

fn write(
    schema: Arc<Schema>,
    batches: impl IntoIterator<Item = Result<RecordBatch, ColumnsError>>,
    properties: WriterProperties,
) -> Result<Bytes, ColumnsError> {
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    for batch in batches {
        writer.write(&batch?)?;
    }
    Ok(writer.into_inner()?.into())
}

/// Every batch of a Parquet file.
pub fn read_parquet(bytes: Bytes) -> Result<Vec<RecordBatch>, ColumnsError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)?.with_batch_size(GROUP_ROWS).build()?;
    Ok(reader.collect::<Result<_, _>>()?)
}

/// Some columns of a Parquet file, in the file's order.
pub fn read_columns(bytes: Bytes, names: &[&str]) -> Result<Vec<RecordBatch>, ColumnsError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
    let reader = builder.with_projection(mask).with_batch_size(GROUP_ROWS).build()?;
    Ok(reader.collect::<Result<_, _>>()?)
}
