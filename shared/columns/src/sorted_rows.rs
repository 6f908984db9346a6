//! Rows of several lake files, each in the order of site, time and id, as one such sequence.

use std::sync::Arc;

use arrow::{
    array::{AsArray as _, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array},
    compute::interleave_record_batch,
    datatypes::TimestampMicrosecondType,
};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection};

use crate::{ColumnsError, event_schema};

/// Rows read of a file at a time.
const READ: usize = 1_024;
/// Rows written at a time.
const WRITTEN: usize = 8_192;

/// A batch in the columns of the lake, with what orders its rows.
struct Held {
    batch: RecordBatch,
    sites: StringArray,
    times: TimestampMicrosecondArray,
    ids: StringArray,
}

impl Held {
    fn new(batch: &RecordBatch) -> Result<Self, ColumnsError> {
        let batch = in_our_columns(batch)?;
        let column = |name: &'static str| batch.column_by_name(name).ok_or(ColumnsError::Column(name));
        let strings = |name| column(name)?.as_string_opt::<i32>().cloned().ok_or(ColumnsError::Column(name));
        let times = column("original_at")?.as_primitive_opt::<TimestampMicrosecondType>().cloned();
        let times = times.ok_or(ColumnsError::Column("original_at"))?;
        Ok(Self { sites: strings("site_id")?, ids: strings("event_id")?, times, batch })
    }

    fn key(&self, row: usize) -> (&str, i64, &str) {
        (self.sites.value(row), self.times.value(row), self.ids.value(row))
    }
}

/// The columns of [`event_schema`]; files of before a column was added have none of it.
pub(crate) fn in_our_columns(batch: &RecordBatch) -> Result<RecordBatch, ColumnsError> {
    let schema = event_schema();
    let columns = schema
        .fields()
        .iter()
        .map(|field| batch.column_by_name(field.name()).map_or_else(|| new_null_array(field.data_type(), batch.num_rows()), Arc::clone));
    Ok(RecordBatch::try_new(Arc::clone(&schema), columns.collect())?)
}

/// How far a file is read.
struct Cursor {
    reader: ParquetRecordBatchReader,
    /// Index of its batch among those that are held.
    held: usize,
    row: usize,
}

/// The rows of all files in order, some at a time.
pub struct SortedRows {
    cursors: Vec<Cursor>,
    held: Vec<Held>,
}

impl SortedRows {
    /// Reads the selected rows of each file.
    pub fn new(files: impl IntoIterator<Item = (Bytes, RowSelection)>) -> Result<Self, ColumnsError> {
        let mut sorted = Self { cursors: Vec::new(), held: Vec::new() };
        for (bytes, selection) in files {
            let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)?.with_batch_size(READ).with_row_selection(selection).build()?;
            if let Some(cursor) = sorted.advance(Cursor { reader, held: 0, row: 0 })? {
                sorted.cursors.push(cursor);
            }
        }
        Ok(sorted)
    }

    /// Reads the next batch of a file; none at its end.
    fn advance(&mut self, mut cursor: Cursor) -> Result<Option<Cursor>, ColumnsError> {
        for batch in cursor.reader.by_ref() {
            let batch = batch?;
            if batch.num_rows() > 0 {
                (cursor.held, cursor.row) = (self.held.len(), 0);
                self.held.push(Held::new(&batch)?);
                return Ok(Some(cursor));
            }
        }
        Ok(None)
    }

    fn key(&self, cursor: usize) -> (&str, i64, &str) {
        let Cursor { held, row, .. } = &self.cursors[cursor];
        self.held[*held].key(*row)
    }

    /// The cursor of the least row, and that of the least row of the others.
    fn least(&self) -> Option<(usize, Option<usize>)> {
        let least = (0..self.cursors.len()).min_by_key(|c| self.key(*c))?;
        let second = (0..self.cursors.len()).filter(|c| *c != least).min_by_key(|c| self.key(*c));
        Some((least, second))
    }

    fn next_rows(&mut self) -> Result<Option<RecordBatch>, ColumnsError> {
        let mut rows = Vec::with_capacity(WRITTEN);
        while rows.len() < WRITTEN
            && let Some((least, second)) = self.least()
        {
            let Cursor { held, row: begin, .. } = self.cursors[least];
            let batch = &self.held[held];
            let bound = second.map(|second| self.key(second));
            let end = batch.batch.num_rows().min(begin + WRITTEN - rows.len());
            // The least row goes in any case, and after it those that are no later than any other file's.
            let more = (begin + 1..end).take_while(|row| bound.is_none_or(|bound| batch.key(*row) <= bound)).count();
            rows.extend((begin..=begin + more).map(|row| (held, row)));
            let next = begin + more + 1;
            if next < batch.batch.num_rows() {
                self.cursors[least].row = next;
            } else {
                let cursor = self.cursors.swap_remove(least);
                let next = self.advance(cursor)?;
                self.cursors.extend(next);
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let sources: Vec<&RecordBatch> = self.held.iter().map(|held| &held.batch).collect();
        let batch = interleave_record_batch(&sources, &rows)?;
        self.let_go();
        Ok(Some(batch))
    }

    /// Keeps only the batches that cursors stand in.
    fn let_go(&mut self) {
        let mut held: Vec<Option<Held>> = self.held.drain(..).map(Some).collect();
        for cursor in &mut self.cursors {
            if let Some(kept) = held[cursor.held].take() {
                cursor.held = self.held.len();
                self.held.push(kept);
            }
        }
    }
}

impl Iterator for SortedRows {
    type Item = Result<RecordBatch, ColumnsError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_rows().transpose()
    }
}
