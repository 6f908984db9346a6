//! A file's bytes as records, one at a time: memory does not grow with the file.

mod csv_rows;
mod guard;
mod json_rows;
mod lines;
// Decoding is the library's work, which takes longer to build than all else that is fuzzed.
#[cfg(not(fuzzing))]
mod parquet_rows;

use std::io::{BufRead, BufReader, Read};

use clickstream_event::{RawEvent, Shape};

use crate::{
    Limits,
    format::{Format, Packing, Rows},
    receipt::FileError,
};
use guard::{Counted, Guarded};

/// One record of a file.
pub struct Record {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The event, or its text and what is wrong with it.
    pub event: Result<RawEvent, Unreadable>,
}

/// A record that is no event.
pub struct Unreadable {
    /// What stands there, cut to what an event may take and one byte more.
    pub text: String,
    /// What is wrong.
    pub why: String,
}

/// Why reading ended before the file did.
pub enum Stop {
    /// The file is wrong.
    File(FileError),
    /// A temporary file cannot be written.
    Disk(std::io::Error),
    /// Nobody takes records any more.
    Closed,
}

/// Takes records; false ends the reading.
pub type Each<'a> = &'a mut dyn FnMut(Record) -> bool;

impl Stop {
    /// An error of the file as a whole.
    pub fn file(code: &str, message: impl Into<String>) -> Self {
        Self::File(FileError { code: code.to_owned(), message: message.into() })
    }
}

/// Shape of JSON records whose names do not tell.
const DEFAULT_SHAPE: Shape = Shape::Clicks;

/// Reads every record of a file.
pub fn records(bytes: impl Read + Send + 'static, format: Format, limits: &Limits, each: Each<'_>) -> Result<(), Stop> {
    #[cfg(not(fuzzing))]
    if format.rows == Rows::Parquet {
        return parquet_rows::read(bytes, limits, each);
    }
    let (packed, count) = Counted::new(bytes);
    let packed = BufReader::with_capacity(128 << 10, packed);
    let plain: Box<dyn Read> = match format.packing {
        Packing::Plain => Box::new(packed),
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        Packing::Brotli => Box::new(brotli::Decompressor::new(packed, 64 << 10)),
        Packing::Zstd => {
            let broken = |e: std::io::Error| Stop::file("compression", format!("the file is no zstd stream: {e}"));
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(broken)?;
            // 128 MiB of window at most: what zstd's own tool takes without being asked to take more.
            decoder.window_log_max(27).map_err(broken)?;
            Box::new(decoder)
        }
    };
    let guarded = Guarded::new(plain, count, limits);
    match format.rows {
        Rows::Csv => csv_rows::read(guarded, each),
        Rows::Ndjson => lines::read(unmarked(guarded)?, each),
        Rows::Json | Rows::Parquet => json_rows::read(unmarked(guarded)?, each),
    }
}

/// The text without the byte order mark with which Windows' tools begin it.
fn unmarked(text: Guarded) -> Result<impl BufRead, Stop> {
    let mut text = BufReader::with_capacity(128 << 10, text);
    if text.fill_buf().map_err(|e| broken(&e))?.starts_with("\u{feff}".as_bytes()) {
        text.consume("\u{feff}".len());
    }
    Ok(text)
}

/// An error while reading: the guard's own words, or a broken compression.
fn broken(error: &std::io::Error) -> Stop {
    match error.get_ref().and_then(|e| e.downcast_ref::<guard::Exceeded>()) {
        Some(exceeded) => Stop::file("too_large", exceeded.to_string()),
        None => Stop::file("unreadable", format!("the file cannot be read to its end: {error}; is it cut, or not what its name says?")),
    }
}
