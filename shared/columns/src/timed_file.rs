//! A lake file in memory with the times of its rows, which tell where each belongs before any other column is read.

use std::ops::Range;

use arrow::{
    array::{AsArray as _, RecordBatch},
    datatypes::TimestampMicrosecondType,
};
use bytes::Bytes;
use clickstream_event::Micros;
use parquet::arrow::arrow_reader::RowSelection;

use crate::{ColumnsError, SortedRows, read_columns, write_lake_file};

/// A lake file with the times of its rows, µs since 1970, in its order.
#[derive(Clone, Debug)]
pub struct TimedFile {
    /// The file.
    pub bytes: Bytes,
    /// `original_at` of each row.
    pub original_at: Vec<i64>,
    /// `occurred_at` of each row.
    pub occurred_at: Vec<i64>,
}

impl TimedFile {
    /// Reads the times.
    pub fn read(bytes: Bytes) -> Result<Self, ColumnsError> {
        let (mut original_at, mut occurred_at) = (Vec::new(), Vec::new());
        for batch in read_columns(bytes.clone(), &["original_at", "occurred_at"])? {
            let column = |name: &'static str| {
                let column = batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
                column.ok_or(ColumnsError::Column(name))
            };
            original_at.extend_from_slice(column("original_at")?.values());
            occurred_at.extend_from_slice(column("occurred_at")?.values());
        }
        Ok(Self { bytes, original_at, occurred_at })
    }

    /// Runs of rows whose `original_at` is taken.
    fn runs(&self, takes: impl Fn(i64) -> bool) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for (row, _) in self.original_at.iter().enumerate().filter(|(_, time)| takes(**time)) {
            match runs.last_mut() {
                Some(run) if run.end == row => run.end += 1,
                _ => runs.push(row..row + 1),
            }
        }
        runs
    }

    /// The rows whose `original_at` is taken, in the file's order.
    pub fn rows(&self, takes: impl Fn(i64) -> bool) -> Result<SortedRows, ColumnsError> {
        SortedRows::new([self.selection(self.runs(takes))])
    }

    fn selection(&self, runs: Vec<Range<usize>>) -> (Bytes, RowSelection) {
        (self.bytes.clone(), RowSelection::from_consecutive_ranges(runs.into_iter(), self.original_at.len()))
    }
}

/// Rows of lake files as a file of their own, not yet in the lake.
#[derive(Clone, Debug)]
pub struct LakePart {
    /// The file.
    pub bytes: Bytes,
    /// Its rows.
    pub rows: u64,
    /// Least and greatest `original_at`.
    pub original_at: (Micros, Micros),
    /// Least and greatest `occurred_at`.
    pub occurred_at: (Micros, Micros),
}

/// Writes the rows of `files` whose `original_at` is taken as one file, in the order of site, time and id.
pub fn write_lake_part(files: &[TimedFile], takes: impl Fn(i64) -> bool) -> Result<LakePart, ColumnsError> {
    let (mut selected, mut original_at, mut occurred_at) = (0, Extremes::default(), Extremes::default());
    let mut parts = Vec::new();
    for file in files {
        let runs = file.runs(&takes);
        for run in &runs {
            selected += run.len();
            original_at.take(&file.original_at[run.clone()]);
            occurred_at.take(&file.occurred_at[run.clone()]);
        }
        if !runs.is_empty() {
            parts.push(file.selection(runs));
        }
    }
    let mut rows = 0;
    let counted = SortedRows::new(parts)?.inspect(|batch| rows += batch.as_ref().map_or(0, RecordBatch::num_rows));
    let bytes = write_lake_file(counted)?;
    if rows != selected {
        return Err(ColumnsError::Row { row: rows, why: format!("{rows} rows of {selected} could be read") });
    }
    Ok(LakePart { bytes, rows: rows as u64, original_at: original_at.range(), occurred_at: occurred_at.range() })
}

/// The least and the greatest of some times.
#[derive(Clone, Copy, Debug, Default)]
struct Extremes(Option<(Micros, Micros)>);

impl Extremes {
    fn take(&mut self, times: &[i64]) {
        for time in times.iter().copied().map(Micros) {
            let (least, greatest) = self.0.unwrap_or((time, time));
            self.0 = Some((least.min(time), greatest.max(time)));
        }
    }

    fn range(self) -> (Micros, Micros) {
        self.0.unwrap_or_default()
    }
}
