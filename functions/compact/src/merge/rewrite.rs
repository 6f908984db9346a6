//! The work of one merge: files read whole, their rows taken apart by time, each part written in order.

use std::{
    ops::{Range, RangeInclusive},
    sync::Arc,
};

use arrow::{array::AsArray as _, datatypes::TimestampMicrosecondType};
use bytes::Bytes;
use clickstream_columns::{ColumnsError, read_columns, write_lake_file};
use clickstream_event::Micros;
use clickstream_lake::{Lake, LakeError, LakeFile, NewFile};
use parquet::arrow::arrow_reader::RowSelection;

use super::{layout::layout, sorted::Sorted};
use crate::CompactError;

/// A file with the times of its rows, in its order.
struct Input {
    bytes: Bytes,
    original_at: Vec<i64>,
    occurred_at: Vec<i64>,
}

/// A file's bytes, not yet in the lake.
struct Output {
    bytes: Bytes,
    rows: u64,
    original_at: (Micros, Micros),
    occurred_at: (Micros, Micros),
}

/// Writes the rows of `files` as fewer files of about `target` bytes.
pub async fn rewrite(lake: &Lake, files: &[LakeFile], target: u64) -> Result<Vec<NewFile>, CompactError> {
    let mut inputs = Vec::with_capacity(files.len());
    for file in files {
        let bytes = lake.read_file(&file.path).await?;
        let input = Input::read(bytes).map_err(|e| LakeError::Corrupt(format!("{}: {e}", file.path)))?;
        if input.original_at.len() as u64 != file.rows {
            let (rows, said) = (input.original_at.len(), file.rows);
            return Err(LakeError::Corrupt(format!("{} has {rows} rows where the log says {said}", file.path)).into());
        }
        inputs.push(input);
    }
    let begins = begins(&inputs, files, target);
    let inputs = Arc::new(inputs);
    let mut written = Vec::with_capacity(begins.len());
    for (n, begin) in begins.iter().enumerate() {
        let (inputs, span) = (Arc::clone(&inputs), *begin..=begins.get(n + 1).map_or(i64::MAX, |next| next - 1));
        let encoded = tokio::task::spawn_blocking(move || encode(&inputs, &span)).await;
        let Output { bytes, rows, original_at, occurred_at } = encoded.map_err(|e| LakeError::Unavailable(e.to_string()))??;
        written.push(lake.write_file(bytes, rows, original_at, occurred_at).await?);
    }
    Ok(written)
}

impl Input {
    fn read(bytes: Bytes) -> Result<Self, ColumnsError> {
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

    /// Runs of rows whose `original_at` is in `span`.
    fn runs(&self, span: &RangeInclusive<i64>) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for (row, _) in self.original_at.iter().enumerate().filter(|(_, time)| span.contains(time)) {
            match runs.last_mut() {
                Some(run) if run.end == row => run.end += 1,
                _ => runs.push(row..row + 1),
            }
        }
        runs
    }
}

/// The moments at which the new files begin.
fn begins(inputs: &[Input], files: &[LakeFile], target: u64) -> Vec<i64> {
    let mut times: Vec<i64> = inputs.iter().flat_map(|input| &input.original_at).copied().collect();
    times.sort_unstable();
    let (bytes, rows): (u64, u64) = files.iter().fold((0, 0), |(bytes, rows), file| (bytes + file.size, rows + file.rows));
    layout(&times, files.len(), |part| (part as u64 * bytes).div_ceil(rows.max(1) * target) as usize)
}

fn encode(inputs: &[Input], span: &RangeInclusive<i64>) -> Result<Output, CompactError> {
    let (mut selected, mut original_at, mut occurred_at) = (0, Extremes::default(), Extremes::default());
    let mut files = Vec::new();
    for input in inputs {
        let runs = input.runs(span);
        for run in &runs {
            selected += run.len() as u64;
            original_at.take(&input.original_at[run.clone()]);
            occurred_at.take(&input.occurred_at[run.clone()]);
        }
        if !runs.is_empty() {
            files.push((input.bytes.clone(), RowSelection::from_consecutive_ranges(runs.into_iter(), input.original_at.len())));
        }
    }
    let mut rows = 0;
    let counted = Sorted::new(files)?.inspect(|batch| rows += batch.as_ref().map_or(0, |b| b.num_rows() as u64));
    let bytes = write_lake_file(counted)?;
    if rows != selected {
        return Err(LakeError::Corrupt(format!("{rows} rows of {selected} were read of files to merge")).into());
    }
    Ok(Output { bytes, rows, original_at: original_at.0.unwrap_or_default(), occurred_at: occurred_at.0.unwrap_or_default() })
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
