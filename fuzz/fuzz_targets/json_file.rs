//! Lines and arrays of the inbox, both read from the same bytes; the first byte chooses their compression.
#![no_main]

#[allow(dead_code)]
#[path = "../../functions/intake-files/src/format.rs"]
mod format;
#[allow(dead_code)]
#[path = "../../functions/intake-files/src/limits.rs"]
mod limits;
#[allow(dead_code)]
#[path = "../../functions/intake-files/src/read/mod.rs"]
mod read;
#[allow(dead_code)]
#[path = "../../functions/intake-files/src/receipt.rs"]
mod receipt;

use std::io::Cursor;

use clickstream_event::{MAX_EVENT_BYTES, Source};
use clickstream_fuzz::{arrival, judge};
use format::{Format, Packing, Rows};
use libfuzzer_sys::fuzz_target;
use limits::Limits;
use serde_json::Value;

/// Most bytes that may come out of a compressed file.
const LIMIT: u64 = 64 << 10;

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else { return };
    let packing = match choice {
        1 => Packing::Gzip,
        2 => Packing::Zstd,
        3 => Packing::Brotli,
        _ => Packing::Plain,
    };
    let lines = records(data, Rows::Ndjson, packing);
    let several = records(data, Rows::Json, packing);
    if packing != Packing::Plain {
        return;
    }
    // The scanner of arrays cuts where a parser of JSON does.
    if let Ok(Value::Array(elements)) = serde_json::from_slice(data) {
        assert_eq!(several, Some(elements.len()), "every element of an array is a record");
    }
    // A byte order mark at the beginning is none of the text.
    let data = data.strip_prefix("\u{feff}".as_bytes()).unwrap_or(data);
    let filled = |line: &&[u8]| !line.trim_ascii().is_empty();
    assert_eq!(lines, Some(data.split(|b| *b == b'\n').filter(filled).count()), "every line is a record");
});

/// The records read and judged; none where the file is wrong as a whole.
fn records(data: &[u8], rows: Rows, packing: Packing) -> Option<usize> {
    let most = if packing == Packing::Plain { data.len() as u64 } else { LIMIT };
    let limits = Limits { max_decompressed_bytes: most, ..Limits::default() };
    let (mut count, mut before, mut bytes) = (0, 0, 0);
    let read = read::records(Cursor::new(data.to_vec()), Format { rows, packing }, &limits, &mut |record| {
        assert!(record.line >= before.max(1), "lines go on");
        (count, before) = (count + 1, record.line);
        match &record.event {
            Ok(raw) => {
                bytes += raw.text.as_ref().map_or(0, |text| text.len() as u64);
                judge(raw, &arrival(Source::File));
            }
            Err(unreadable) => assert!(unreadable.text.len() > MAX_EVENT_BYTES || !unreadable.why.is_empty(), "it says why"),
        }
        true
    });
    assert!(bytes <= most, "no more than the limit comes out");
    match read {
        Ok(()) => Some(count),
        Err(read::Stop::File(error)) => {
            assert!(!error.message.is_empty() && error.message.len() < 1_000, "{}", error.message);
            None
        }
        Err(_) => panic!("records are taken to the end"),
    }
}
