//! How much memory and disk the store may take.

use clickstream_sqlite::Tuning;

/// Ids and persons come in no order, so nearly every event dirties a page of each index for a row of some 40 bytes.
/// Small pages write a third of what `SQLite`'s usual 4,096 bytes do.
pub(super) const PAGE_BYTES: u32 = 1_024;

/// Limits of one [`super::SqliteStore`].
#[derive(Clone, Copy, Debug)]
pub struct SqliteStoreOptions {
    /// Index pages that the writer keeps in memory, bytes. Ids and persons come in no order, so
    /// what does not fit here is read again for nearly every event.
    pub cache_bytes: usize,
    /// The size that the database may grow to, bytes; past it puts are
    /// [`crate::StoreError::Full`] until events are expired. None: the disk's size.
    pub max_database_bytes: Option<u64>,
}

impl Default for SqliteStoreOptions {
    /// 96 MiB of cache, the whole disk.
    fn default() -> Self {
        Self { cache_bytes: 96 << 20, max_database_bytes: None }
    }
}

impl SqliteStoreOptions {
    pub(super) fn tuning(&self) -> Tuning {
        Tuning {
            page_bytes: PAGE_BYTES,
            writer_cache_bytes: self.cache_bytes,
            reader_cache_bytes: 4 << 20,
            max_database_bytes: self.max_database_bytes,
        }
    }
}
