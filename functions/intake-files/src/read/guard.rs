//! Readers that stop before memory or disk are used up.

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::Limits;

/// Growth is not looked at before this many bytes.
const RATIO_FROM: u64 = 64 << 20;
/// Longest record of a table, bytes: longer ones come of a quote that is never closed.
const LONGEST_RECORD: u64 = 4 << 20;

/// A limit that was passed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum Exceeded {
    /// Bytes in all.
    #[error("the file takes more than {0} bytes when decompressed")]
    Bytes(u64),
    /// Growth.
    #[error("the file grows more than {0} times when decompressed")]
    Ratio(u64),
    /// One record.
    #[error("a record takes more than 4 MiB: is a quote never closed?")]
    Record,
}

/// The limit that `read` bytes pass which were decompressed from `packed`.
pub fn exceeded(limits: &Limits, read: u64, packed: u64) -> Option<Exceeded> {
    if read > limits.max_decompressed_bytes {
        Some(Exceeded::Bytes(limits.max_decompressed_bytes))
    } else if read > RATIO_FROM && read / packed.max(1) > limits.max_ratio {
        Some(Exceeded::Ratio(limits.max_ratio))
    } else {
        None
    }
}

/// Counts the bytes that are read.
pub struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Counted<R> {
    /// A reader and its count.
    pub fn new(inner: R) -> (Self, Arc<AtomicU64>) {
        let count = Arc::new(AtomicU64::new(0));
        (Self { inner, count: Arc::clone(&count) }, count)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Marks the beginning of a record.
#[derive(Clone, Default)]
pub struct RecordMark(Rc<Cell<u64>>);

impl RecordMark {
    /// A record ends here; the next begins.
    pub fn next(&self) {
        self.0.set(0);
    }
}

/// Decompressed bytes within their limits.
pub struct Guarded {
    inner: Box<dyn Read>,
    packed: Arc<AtomicU64>,
    read: u64,
    limits: Limits,
    mark: RecordMark,
}

impl Guarded {
    /// Guards `inner`, which is decompressed from as many bytes as `packed` counts.
    pub fn new(inner: Box<dyn Read>, packed: Arc<AtomicU64>, limits: &Limits) -> Self {
        Self { inner, packed, read: 0, limits: *limits, mark: RecordMark::default() }
    }

    /// What resets the limit of a record; a reader that never marks is not limited by it.
    pub fn mark(&self) -> RecordMark {
        self.mark.clone()
    }
}

impl Read for Guarded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)? as u64;
        self.read += read;
        let in_record = self.mark.0.get() + read;
        self.mark.0.set(in_record);
        let endless = in_record > LONGEST_RECORD && Rc::strong_count(&self.mark.0) > 1;
        let exceeded = exceeded(&self.limits, self.read, self.packed.load(Ordering::Relaxed));
        match exceeded.or(endless.then_some(Exceeded::Record)) {
            Some(exceeded) => Err(io::Error::other(exceeded)),
            None => Ok(read as usize),
        }
    }
}
