//! Tables with a header (RFC 4180).

use clickstream_event::{MAX_EVENT_BYTES, RowHeader};
use csv::{ReaderBuilder, StringRecord};

use super::{Each, Record, Stop, Unreadable, broken, guard::Guarded};

pub fn read(bytes: Guarded, each: Each<'_>) -> Result<(), Stop> {
    let mark = bytes.mark();
    let mut reader = ReaderBuilder::new().flexible(true).buffer_capacity(128 << 10).from_reader(bytes);
    let names = reader.headers().map_err(|e| wrong(&e))?.clone();
    if names.is_empty() {
        return Err(Stop::file("header", "the file is empty: its first line names the columns"));
    }
    let header = RowHeader::new(&names).map_err(|e| Stop::file("header", e.to_string()))?;
    let mut row = csv::ByteRecord::new();
    loop {
        mark.next();
        if !reader.read_byte_record(&mut row).map_err(|e| wrong(&e))? {
            return Ok(());
        }
        let line = row.position().map_or(0, csv::Position::line);
        if !each(Record { line, event: event(&header, &row) }) {
            return Err(Stop::Closed);
        }
    }
}

fn event(header: &RowHeader, row: &csv::ByteRecord) -> Result<clickstream_event::RawEvent, Unreadable> {
    let text = || {
        let mut text = row.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(",");
        let mut end = text.len().min(MAX_EVENT_BYTES + 1);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text
    };
    if row.as_slice().len() > MAX_EVENT_BYTES {
        return Err(Unreadable { text: text() + " ", why: String::new() });
    }
    match StringRecord::from_byte_record(row.clone()) {
        Ok(row) => header.event(&row).map_err(|why| Unreadable { text: text(), why }),
        Err(_) => Err(Unreadable { text: text(), why: "the row is not UTF-8".to_owned() }),
    }
}

fn wrong(error: &csv::Error) -> Stop {
    match error.kind() {
        csv::ErrorKind::Io(error) => broken(error),
        _ => Stop::file("csv", format!("the file is no CSV: {error}")),
    }
}
