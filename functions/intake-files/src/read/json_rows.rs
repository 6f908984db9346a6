//! One JSON array of objects, or objects one after the other.

use std::io::BufRead;

use clickstream_event::MAX_EVENT_BYTES;

use super::{Each, Record, Stop, broken, lines};

/// Where the reading is.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "the states of a scanner")]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The file is one array: its elements are the records.
    array: bool,
    began: bool,
    line: u64,
    record_line: u64,
    /// The record so far, cut to what shows that it is too long.
    record: Vec<u8>,
}

pub fn read(mut bytes: impl BufRead, each: Each<'_>) -> Result<(), Stop> {
    let mut scan = Scan { line: 1, ..Scan::default() };
    loop {
        let buffer = bytes.fill_buf().map_err(|e| broken(&e))?;
        if buffer.is_empty() {
            break;
        }
        let length = buffer.len();
        for byte in buffer {
            if scan.take(*byte)? && !scan.hand_out(each) {
                return Err(Stop::Closed);
            }
        }
        bytes.consume(length);
    }
    if scan.depth > 0 || scan.in_string || !scan.record.is_empty() {
        return Err(Stop::file("unreadable", format!("the JSON ends on line {} before it is complete: is the file cut?", scan.line)));
    }
    Ok(())
}

impl Scan {
    /// Takes a byte; true if it completes a record.
    fn take(&mut self, byte: u8) -> Result<bool, Stop> {
        self.line += u64::from(byte == b'\n');
        if self.in_string {
            self.keep(byte);
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return Ok(false);
        }
        let base = usize::from(self.array);
        match byte {
            b'[' if !self.began => {
                (self.began, self.array, self.depth) = (true, true, 1);
                Ok(false)
            }
            b'{' | b'[' => {
                self.began = true;
                self.depth += 1;
                self.keep(byte);
                Ok(false)
            }
            b']' if self.array && self.depth == 1 => {
                self.depth = 0;
                Ok(!self.record.is_empty())
            }
            b'}' | b']' => {
                let depth = self.depth.checked_sub(1).filter(|d| *d >= base);
                self.depth = depth.ok_or_else(|| Stop::file("json", format!("line {}: a bracket closes what none opened", self.line)))?;
                self.keep(byte);
                // A record that is no object ends at its comma.
                Ok(self.depth == base && !self.array)
            }
            b',' if self.depth == base => Ok(!self.record.is_empty()),
            _ if byte.is_ascii_whitespace() && self.record.is_empty() => Ok(false),
            _ => {
                self.began = true;
                self.in_string = byte == b'"';
                self.keep(byte);
                Ok(false)
            }
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.record.is_empty() {
            self.record_line = self.line;
        }
        if self.record.len() <= MAX_EVENT_BYTES {
            self.record.push(byte);
        }
    }

    fn hand_out(&mut self, each: Each<'_>) -> bool {
        let more = each(Record { line: self.record_line, event: lines::event(&self.record) });
        self.record.clear();
        more
    }
}
