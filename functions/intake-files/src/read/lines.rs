//! A JSON object a line (<https://github.com/ndjson/ndjson-spec>).

use std::io::BufRead;

use clickstream_event::{MAX_EVENT_BYTES, parse_record};

use super::{DEFAULT_SHAPE, Each, Record, Stop, Unreadable, broken};

pub fn read(mut bytes: impl BufRead, each: Each<'_>) -> Result<(), Stop> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = line_within(&mut bytes, &mut line).map_err(|e| broken(&e))?;
        if !read {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        if !each(Record { line: number, event: event(&line) }) {
            return Err(Stop::Closed);
        }
    }
    Ok(())
}

/// One JSON text as an event; a longer one than an event may be is cut, so that blanks at its end may be anywhere in it.
pub fn event(text: &[u8]) -> Result<clickstream_event::RawEvent, Unreadable> {
    let unreadable = |text: &[u8], why| Unreadable { text: String::from_utf8_lossy(text).into_owned(), why };
    if text.len() > MAX_EVENT_BYTES {
        return Err(unreadable(text, String::new()));
    }
    let text = text.trim_ascii();
    parse_record(text, DEFAULT_SHAPE).map_err(|e| unreadable(text, e.to_string()))
}

/// Reads a line, keeping no more of it than shows that it is too long; false at the end.
fn line_within(bytes: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    let mut any = false;
    loop {
        let buffer = bytes.fill_buf()?;
        if buffer.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = buffer.iter().position(|b| *b == b'\n');
        let used = end.map_or(buffer.len(), |e| e + 1);
        let room = (MAX_EVENT_BYTES + 1).saturating_sub(line.len());
        line.extend_from_slice(&buffer[..end.unwrap_or(buffer.len()).min(room)]);
        bytes.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}
