//! Parquet by row groups. Its index stands at the end, so the file is put on disk first.

use std::{
    fmt::Display,
    io::Read,
    panic::{AssertUnwindSafe, catch_unwind},
};

use arrow::{array::RecordBatch, error::ArrowError, json::LineDelimitedWriter};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{Each, Record, Stop, guard::exceeded, lines};
use crate::Limits;

/// Rows decoded at a time.
const ROWS: usize = 1_024;

pub fn read(mut bytes: impl Read, limits: &Limits, each: Each<'_>) -> Result<(), Stop> {
    let mut file = tempfile::tempfile().map_err(Stop::Disk)?;
    let packed = std::io::copy(&mut bytes, &mut file).map_err(Stop::Disk)?;
    let builder = decoded(|| ParquetRecordBatchReaderBuilder::try_new(file))?;
    let plain =
        builder.metadata().row_groups().iter().fold(0, |sum: u64, group| sum.saturating_add(group.total_byte_size().unsigned_abs()));
    if let Some(exceeded) = exceeded(limits, plain, packed) {
        return Err(Stop::file("too_large", exceeded.to_string()));
    }
    let mut reader = decoded(|| builder.with_batch_size(ROWS).build())?;
    let mut line = 0;
    while let Some(batch) = decoded(|| reader.next().transpose())? {
        let rows = decoded(|| json(&batch))?;
        for row in rows.split(|b| *b == b'\n').filter(|row| !row.is_empty()) {
            line += 1;
            if !each(Record { line, event: lines::event(row) }) {
                return Err(Stop::Closed);
            }
        }
    }
    Ok(())
}

/// A JSON object a row.
fn json(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(batch)?;
    writer.finish()?;
    Ok(writer.into_inner())
}

/// What the library decodes. It panics at some damaged files; such a file is as wrong as one that it refuses, and must
/// not be tried again for ever.
fn decoded<T, E: Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Stop> {
    let wrong = |why: &dyn Display| Stop::file("parquet", format!("the file is no readable Parquet: {why}"));
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(decoded) => decoded.map_err(|e| wrong(&e)),
        Err(_) => Err(wrong(&"it is damaged")),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{io::Cursor, sync::Arc};

    use arrow::array::{ArrayRef, Int32Array, ListArray, StringArray, types::Int32Type};
    use parquet::{
        arrow::ArrowWriter,
        basic::{Compression, ZstdLevel},
        file::properties::WriterProperties,
    };

    use super::*;

    /// Three rows with texts, numbers and lists.
    fn file(compression: Compression) -> Vec<u8> {
        let texts = |texts: [Option<&str>; 3]| Arc::new(StringArray::from_iter(texts)) as ArrayRef;
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![])]);
        let columns = [
            ("event_id", texts([Some("1"), Some("2"), Some("3")])),
            ("action", texts([Some("click"), Some("view"), None])),
            ("x", Arc::new(Int32Array::from(vec![Some(1), None, Some(3)])) as ArrayRef),
            ("sizes", Arc::new(lists) as ArrayRef),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let properties = WriterProperties::builder().set_compression(compression).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    }

    fn rows(file: &[u8]) -> Result<u64, Stop> {
        let mut rows = 0;
        let mut each = |record: Record| {
            rows += 1;
            assert_eq!(record.line, rows);
            rows < 1_000
        };
        read(Cursor::new(file), &Limits::default(), &mut each).map(|()| rows)
    }

    #[test]
    fn a_damaged_file_is_refused_whatever_the_library_makes_of_it() {
        for compression in [Compression::UNCOMPRESSED, Compression::ZSTD(ZstdLevel::default())] {
            let whole = file(compression);
            assert!(matches!(rows(&whole), Ok(3)));
            for at in 0..whole.len() {
                for damage in [0x01, 0x80, 0xff] {
                    let mut damaged = whole.clone();
                    damaged[at] ^= damage;
                    // Where the damage does no harm, the rows are there; what is wrong never leaves as a panic.
                    assert!(!matches!(rows(&damaged), Err(Stop::Disk(_))));
                }
                assert!(matches!(rows(&whole[..at]), Err(Stop::File(_))), "cut at {at}");
            }
        }
    }
}
