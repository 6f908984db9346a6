//! A `SQLite` file opened for durable writing, and for reading beside the writer.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use crate::{Failure, Folder, Migration, migrate};

/// Free pages kept for reuse before any are given back to the file system, bytes.
const KEPT_FREE_BYTES: i64 = 64 << 20;
/// Pages given back in one step; each must be moved, so a step stays short.
const PAGES_PER_STEP: i64 = 512;

/// How much memory and disk one database may take.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Size of a page, bytes: a power of two from 512 to 65,536. A database that is there keeps its own.
    pub page_bytes: u32,
    /// Pages that the writer keeps in memory, bytes.
    pub writer_cache_bytes: usize,
    /// Pages that each reader keeps in memory, bytes.
    pub reader_cache_bytes: usize,
    /// The size that the file may grow to, bytes; past it a write fails as on a full disk.
    pub max_database_bytes: Option<u64>,
}

/// One database file in a claimed folder.
#[derive(Clone, Debug)]
pub struct Database {
    path: PathBuf,
    tuning: Tuning,
}

impl Database {
    /// Opens or makes `file` in `folder`, brings it to the newest schema, and returns it with its
    /// one writing connection.
    ///
    /// # Errors
    /// Those of the file system, of `SQLite` and of [`migrate`].
    pub fn open(folder: &Folder, file: &str, migrations: &[Migration], tuning: Tuning) -> Result<(Self, Connection), Failure> {
        let path = folder.path().join(file);
        let mut writer = Connection::open(&path).map_err(|e| named(&path, Failure::from(e)))?;
        prepare_writer(&writer, tuning).map_err(|e| named(&path, e))?;
        migrate(&mut writer, migrations)?;
        folder.sync()?;
        Ok((Self { path, tuning }, writer))
    }

    /// A connection that only reads.
    pub(crate) fn reader(&self) -> Result<Connection, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(&self.path, flags)?;
        reader.busy_timeout(Duration::from_secs(10))?;
        reader.pragma_update(None, "cache_size", kibibytes(self.tuning.reader_cache_bytes))?;
        Ok(reader)
    }

    /// A connection for checkpoints: it writes pages but begins no transaction.
    pub(crate) fn checkpoints(&self) -> Result<Connection, Failure> {
        let connection = Connection::open(&self.path)?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        Ok(connection)
    }
}

fn prepare_writer(writer: &Connection, tuning: Tuning) -> Result<(), Failure> {
    writer.busy_timeout(Duration::from_secs(10))?;
    // These two count only while the file is still empty, so they stand before anything is written.
    writer.pragma_update(None, "page_size", tuning.page_bytes)?;
    writer.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    writer.pragma_update(None, "journal_mode", "WAL")?;
    writer.pragma_update(None, "synchronous", "FULL")?;
    // [`crate::Checkpointer`] does it instead, beside the writer.
    writer.pragma_update(None, "wal_autocheckpoint", 0)?;
    // A WAL that grew under load is cut back to this when it begins anew.
    writer.pragma_update(None, "journal_size_limit", 64 << 20)?;
    writer.pragma_update(None, "temp_store", "MEMORY")?;
    // The bundled build checks references on every insert by default; ours hold by construction.
    writer.pragma_update(None, "foreign_keys", false)?;
    writer.pragma_update(None, "cache_size", kibibytes(tuning.writer_cache_bytes))?;
    writer.set_prepared_statement_cache_capacity(64);
    if let Some(bytes) = tuning.max_database_bytes {
        let page: i64 = writer.pragma_query_value(None, "page_size", |r| r.get(0))?;
        writer.pragma_update(None, "max_page_count", (bytes as i64 / page).max(1))?;
    }
    Ok(())
}

/// `SQLite` takes a cache's size in KiB as a negative number.
fn kibibytes(bytes: usize) -> i64 {
    -((bytes >> 10) as i64)
}

fn named(path: &Path, failure: Failure) -> Failure {
    match failure {
        Failure::Unavailable(e) => Failure::Unavailable(format!("cannot open {}: {e}", path.display())),
        Failure::Corrupt(e) => Failure::Corrupt(format!("{}: {e}", path.display())),
        Failure::Full => Failure::Full,
    }
}

/// Gives a few free pages back to the file system if many lie unused; returns true while more
/// remain to be given back. Must run outside a transaction.
///
/// # Errors
/// Those of `SQLite`.
pub fn return_free_pages(writer: &Connection) -> Result<bool, Failure> {
    let free: i64 = writer.pragma_query_value(None, "freelist_count", |r| r.get(0))?;
    let page: i64 = writer.pragma_query_value(None, "page_size", |r| r.get(0))?;
    let surplus = free - KEPT_FREE_BYTES / page;
    if surplus <= 0 {
        return Ok(false);
    }
    let step = format!("PRAGMA incremental_vacuum({})", surplus.min(PAGES_PER_STEP));
    let mut step = writer.prepare(&step)?;
    // Each page given back is a row.
    let mut pages = step.query([])?;
    while pages.next()?.is_some() {}
    Ok(surplus > PAGES_PER_STEP)
}
