//! How much memory, disk and patience the log may take.

use std::time::Duration;

use clickstream_sqlite::Tuning;

/// Limits of one [`super::SqliteLog`].
#[derive(Clone, Copy, Debug)]
pub struct SqliteLogOptions {
    /// Records that may wait to be written, bytes. Appends past it wait up to `max_wait`.
    pub queue_bytes: usize,
    /// New blocks kept in memory for consumers, bytes.
    pub cache_bytes: usize,
    /// How long an append waits for room in the queue before it is
    /// [`crate::LogError::Unavailable`].
    pub max_wait: Duration,
    /// Commits that follow one another begin at least this far apart; the records that come in
    /// between share the next. Each commit costs about half a millisecond of processor time,
    /// however little it carries. Zero: as fast as the disk goes.
    pub commit_interval: Duration,
    /// The size that the database may grow to, bytes; past it appends are
    /// [`crate::LogError::Full`] until records are expired. None: the disk's size.
    pub max_database_bytes: Option<u64>,
}

impl Default for SqliteLogOptions {
    /// 64 MiB of queue, 32 MiB of cache, 10 s of patience, commits 4 ms apart, the whole disk.
    fn default() -> Self {
        Self {
            queue_bytes: 64 << 20,
            cache_bytes: 32 << 20,
            max_wait: Duration::from_secs(10),
            commit_interval: Duration::from_millis(4),
            max_database_bytes: None,
        }
    }
}

impl SqliteLogOptions {
    pub(super) fn tuning(&self) -> Tuning {
        Tuning {
            page_bytes: 4_096,
            // Blocks are written once and read rarely; only the index's pages are worth keeping.
            writer_cache_bytes: 8 << 20,
            reader_cache_bytes: 1 << 20,
            max_database_bytes: self.max_database_bytes,
        }
    }
}
