//! How many rows a Parquet file holds, from its footer alone.

use bytes::Bytes;
use parquet::file::{
    metadata::{ParquetMetaDataReader, RowGroupMetaData},
    statistics::Statistics,
};

use crate::WarehouseError;

/// Events of a raw object: the rows with a time of arrival, which no dead letter has. Without statistics on that column
/// every row counts.
pub fn events(file: &Bytes) -> Result<u64, WarehouseError> {
    let metadata = ParquetMetaDataReader::new()
        .parse_and_finish(file)
        .map_err(|e| WarehouseError::refused(format!("this is no Parquet file: {e}")))?;
    let in_group = |group: &RowGroupMetaData| {
        let column = group.columns().iter().find(|c| c.column_path().string() == "received_at");
        let dead_letters = column.and_then(|c| c.statistics()).and_then(Statistics::null_count_opt).unwrap_or(0);
        group.num_rows().unsigned_abs().saturating_sub(dead_letters)
    };
    Ok(metadata.row_groups().iter().map(in_group).sum())
}
