//! Parquet by row groups. Its index stands at the end, so the file is put on disk first.

use std::io::Read;

use arrow::json::LineDelimitedWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{Each, Record, Stop, lines};

/// Rows decoded at a time.
const ROWS: usize = 1_024;

pub fn read(mut bytes: impl Read, each: Each<'_>) -> Result<(), Stop> {
    let spooled = |e: std::io::Error| Stop::file("unreadable", format!("the file cannot be kept while it is read: {e}"));
    let mut file = tempfile::tempfile().map_err(spooled)?;
    std::io::copy(&mut bytes, &mut file).map_err(spooled)?;
    let wrong = |e: String| Stop::file("parquet", format!("the file is no readable Parquet: {e}"));
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| wrong(e.to_string()))?;
    let reader = builder.with_batch_size(ROWS).build().map_err(|e| wrong(e.to_string()))?;
    let mut line = 0;
    for batch in reader {
        let batch = batch.map_err(|e| wrong(e.to_string()))?;
        let mut writer = LineDelimitedWriter::new(Vec::new());
        writer.write(&batch).and_then(|()| writer.finish()).map_err(|e| wrong(e.to_string()))?;
        for row in writer.into_inner().split(|b| *b == b'\n').filter(|row| !row.is_empty()) {
            line += 1;
            if !each(Record { line, event: lines::event(row) }) {
                return Err(Stop::Closed);
            }
        }
    }
    Ok(())
}
