//! A lake file, written a column at a time: columns are independent, so threads share them, and only those in hand are
//! in memory uncompressed.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::ArrayRef,
    datatypes::{Field, Schema},
};
use bytes::Bytes;
use parquet::{
    arrow::{
        ArrowWriter,
        arrow_writer::{ArrowColumnChunk, compute_leaves},
    },
    file::properties::WriterProperties,
};

use crate::{
    ColumnsError, event_schema,
    parquet_file::{GROUP_ROWS, lake_properties},
};

/// Gives a column's values of a range of the file's rows.
pub type ColumnRows<'a> = Box<dyn Fn(Range<usize>) -> Result<ArrayRef, ColumnsError> + 'a>;

/// Columns that take longest, begun first so that no thread is left with one at the end.
const LONG: [&str; 4] = ["event_id", "properties", "session_id", "anonymous_id"];

/// One lake file of `rows` rows, zstd, with a bloom filter on `event_id`, like [`crate::write_lake_file`].
///
/// `open` reads a column of [`event_schema`]; what it reads is dropped when the column is written. At most `threads`
/// columns are open at once.
pub fn write_lake_columns<'a>(
    rows: usize,
    threads: usize,
    open: impl Fn(&Field) -> Result<ColumnRows<'a>, ColumnsError> + Sync,
) -> Result<Bytes, ColumnsError> {
    let schema = event_schema();
    let properties = lake_properties()?;
    let groups: Vec<Range<usize>> = (0..rows).step_by(GROUP_ROWS).map(|from| from..rows.min(from + GROUP_ROWS)).collect();
    let mut columns = in_parallel(&schema, threads, &|field: &Field| encode(field, &open(field)?, &groups, &properties))?;
    let total: usize = columns.iter().flatten().map(|chunk| chunk.close().bytes_written as usize).sum();
    let buffer = Vec::with_capacity(total + total / 32 + 64 * 1024);
    let (mut file, _) = ArrowWriter::try_new(buffer, Arc::clone(&schema), Some(properties))?.into_serialized_writer()?;
    // Each column's chunks, the last group's first.
    columns.iter_mut().for_each(|chunks| chunks.reverse());
    for _ in &groups {
        let mut group = file.next_row_group()?;
        for chunk in columns.iter_mut().filter_map(Vec::pop) {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close()?;
    }
    Ok(file.into_inner()?.into())
}

type Chunks = Vec<ArrowColumnChunk>;

/// Encodes every column on `threads` threads; the first error ends them all.
fn in_parallel(
    schema: &Schema,
    threads: usize,
    encode: &(dyn Fn(&Field) -> Result<Chunks, ColumnsError> + Sync),
) -> Result<Vec<Chunks>, ColumnsError> {
    let mut order: Vec<usize> = (0..schema.fields().len()).collect();
    // Taken from the end.
    order.sort_by_key(|index| (LONG.contains(&schema.field(*index).name().as_str()), usize::MAX - index));
    let waiting = Mutex::new(order);
    let done = Mutex::new(Vec::with_capacity(schema.fields().len()));
    let work = || -> Result<(), ColumnsError> {
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(index) = next else { return Ok(()) };
            let chunks = encode(schema.field(index)).inspect_err(|_| waiting.lock().unwrap_or_else(PoisonError::into_inner).clear())?;
            done.lock().unwrap_or_else(PoisonError::into_inner).push((index, chunks));
        }
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mine = work();
        others.into_iter().fold(mine, |result, other| result.and(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))))
    })?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, chunks)| chunks).collect())
}

/// One column's chunk of each row group.
fn encode(field: &Field, column: &ColumnRows<'_>, groups: &[Range<usize>], properties: &WriterProperties) -> Result<Chunks, ColumnsError> {
    // A file of this column alone: chunks do not know which file they go to.
    let alone = Arc::new(Schema::new(vec![field.clone()]));
    let (_file, writers) = ArrowWriter::try_new(std::io::sink(), alone, Some(properties.clone()))?.into_serialized_writer()?;
    let mut chunks = Vec::with_capacity(groups.len());
    for (index, range) in groups.iter().enumerate() {
        let array = column(range.clone())?;
        let leaves = compute_leaves(field, &array)?;
        for (mut writer, leaf) in writers.create_column_writers(index)?.into_iter().zip(&leaves) {
            writer.write(leaf)?;
            chunks.push(writer.close()?);
        }
    }
    Ok(chunks)
}
