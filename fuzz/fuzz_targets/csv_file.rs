//! Tables of the inbox.
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

use clickstream_event::Source;
use clickstream_fuzz::{arrival, judge};
use format::{Format, Packing, Rows};
use libfuzzer_sys::fuzz_target;
use limits::Limits;

fuzz_target!(|data: &[u8]| {
    let format = Format { rows: Rows::Csv, packing: Packing::Plain };
    let mut before = 0;
    let read = read::records(Cursor::new(data.to_vec()), format, &Limits::default(), &mut |record| {
        assert!(record.line >= before, "lines go on");
        before = record.line;
        match &record.event {
            Ok(raw) => judge(raw, &arrival(Source::File)),
            Err(unreadable) => assert!(!unreadable.text.is_empty() || !unreadable.why.is_empty(), "what cannot be read says why"),
        }
        true
    });
    if let Err(read::Stop::File(error)) = read {
        assert!(!error.message.is_empty() && error.message.len() < 1_000, "{}", error.message);
    }
});
