//! Cutting records by count and bytes.

use crate::{LogError, LoggedRecord, MAX_RECORD_BYTES, Record};

/// Bytes of payload: key, value, headers.
pub(crate) fn payload_bytes(record: &Record) -> usize {
    let headers: usize = record.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    record.key.as_ref().map_or(0, bytes::Bytes::len) + record.value.len() + headers
}

/// What counts against [`crate::MAX_RECORD_BYTES`]: the payload and the lengths written before each header.
pub(crate) fn record_bytes(record: &Record) -> usize {
    payload_bytes(record) + record.headers.len() * 8
}

/// What `records` take in a queue that needs `overhead` bytes more for each.
///
/// # Errors
/// [`LogError::TooLarge`] for the first that no log takes.
pub(crate) fn queued_bytes(records: &[Record], overhead: usize) -> Result<usize, LogError> {
    records.iter().try_fold(0, |sum, record| match record_bytes(record) {
        size if size > MAX_RECORD_BYTES => Err(LogError::TooLarge { size, limit: MAX_RECORD_BYTES }),
        size => Ok(sum + size + overhead),
    })
}

/// Records taken so far, up to two limits; the first record is taken whatever its size.
#[derive(Debug, Default)]
pub(crate) struct Taking {
    pub records: Vec<LoggedRecord>,
    pub bytes: usize,
    pub max_records: usize,
    pub max_bytes: usize,
    /// A limit was reached: what comes next belongs to the next batch.
    pub full: bool,
}

impl Taking {
    pub(crate) fn up_to(max_records: usize, max_bytes: usize) -> Self {
        Self { max_records, max_bytes, full: max_records == 0, ..Self::default() }
    }

    /// Takes `record` if it fits; returns whether it did.
    pub(crate) fn take(&mut self, record: LoggedRecord) -> bool {
        self.offer(record).is_none()
    }

    /// Takes `record`, or gives it back if it does not fit.
    pub(crate) fn offer(&mut self, record: LoggedRecord) -> Option<LoggedRecord> {
        let bytes = payload_bytes(&record.record);
        if self.full || (!self.records.is_empty() && self.bytes + bytes > self.max_bytes) {
            self.full = true;
            return Some(record);
        }
        self.bytes += bytes;
        self.records.push(record);
        self.full = self.records.len() >= self.max_records || self.bytes >= self.max_bytes;
        None
    }

    /// The offset after the last record taken, else `from`.
    pub(crate) fn next(&self, from: u64) -> u64 {
        self.records.last().map_or(from, |r| r.offset + 1)
    }
}
