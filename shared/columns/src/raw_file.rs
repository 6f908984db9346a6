//! A raw object, read a column at a time: what is not asked for stays compressed.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{DataType, Field, Schema},
};
use bytes::Bytes;
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
};

use crate::ColumnsError;

/// A raw object in memory.
#[derive(Clone, Debug)]
pub struct RawFile {
    bytes: Bytes,
    metadata: ArrowReaderMetadata,
}

/// The type in which a column of `kind` is read here: text as views into the file's pages, so that none is copied.
pub fn read_type(kind: &DataType) -> DataType {
    match kind {
        DataType::Utf8 => DataType::Utf8View,
        other => other.clone(),
    }
}

impl RawFile {
    /// Reads what the file says of itself; no column yet.
    pub fn open(bytes: Bytes) -> Result<Self, ColumnsError> {
        let said = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new())?;
        let read = |field: &Arc<Field>| field.as_ref().clone().with_data_type(read_type(field.data_type()));
        let schema =
            Schema::new_with_metadata(said.schema().fields().iter().map(read).collect::<Vec<_>>(), said.schema().metadata().clone());
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        Ok(Self { metadata: ArrowReaderMetadata::try_new(Arc::clone(said.metadata()), options)?, bytes })
    }

    /// Its rows.
    pub fn rows(&self) -> usize {
        self.metadata.metadata().row_groups().iter().map(|group| group.num_rows().unsigned_abs() as usize).sum()
    }

    /// Bytes as it stands, compressed.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Bytes of its `many` largest columns when they are read.
    pub fn largest(&self, many: usize) -> u64 {
        let groups = self.metadata.metadata().row_groups();
        let leaves = groups.first().map_or(0, |group| group.columns().len());
        let size = |leaf: usize| groups.iter().map(|group| group.column(leaf).uncompressed_size().unsigned_abs()).sum::<u64>();
        let mut sizes: Vec<u64> = (0..leaves).map(size).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes.iter().take(many).sum()
    }

    /// These columns of all rows as one batch, in the file's order; those that the file lacks are not in it.
    pub fn columns(&self, names: &[&str]) -> Result<RecordBatch, ColumnsError> {
        let mask = ProjectionMask::columns(self.metadata.parquet_schema(), names.iter().copied());
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.bytes.clone(), self.metadata.clone());
        let mut reader = builder.with_projection(mask).with_batch_size(self.rows().max(1)).build()?;
        let schema = arrow::array::RecordBatchReader::schema(&reader);
        Ok(reader.next().transpose()?.unwrap_or_else(|| RecordBatch::new_empty(schema)))
    }

    /// A column of all rows; none if the file lacks it.
    pub fn column(&self, name: &str) -> Result<Option<ArrayRef>, ColumnsError> {
        Ok(self.columns(&[name])?.column_by_name(name).cloned())
    }
}
