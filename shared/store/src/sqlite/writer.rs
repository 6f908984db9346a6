//! The one writing connection and what it knows by heart.

use std::{collections::HashMap, path::Path};

use clickstream_sqlite::{Checkpointer, Database, Failure, Folder, Migration};
use rusqlite::Connection;
use zstd::bulk::Compressor;

use super::SqliteStoreOptions;

const MIGRATIONS: &[Migration] = &[
    Migration { file: "0001_store.sql", sql: include_str!("../../../../schema/sqlite/store/0001_store.sql") },
    Migration { file: "0002_traces.sql", sql: include_str!("../../../../schema/sqlite/store/0002_traces.sql") },
];

/// Bytes written between two checkpoints. Index pages are written again and again; the longer the
/// pause, the more of those writes become one.
const CHECKPOINT_BYTES: u64 = 64 << 20;

/// Dropping it waits for the checkpoint under way, closes the file and then frees the folder.
pub(super) struct Writer {
    checkpointer: Checkpointer,
    pub connection: Connection,
    pub compressor: Compressor<'static>,
    pub sites: HashMap<String, i64>,
    pub next_payload_id: i64,
    _folder: Folder,
}

impl Writer {
    pub(super) fn open(path: &Path, options: SqliteStoreOptions) -> Result<(Database, Self), Failure> {
        let folder = Folder::claim(path)?;
        let (database, connection) = Database::open(&folder, "store.db", MIGRATIONS, options.tuning())?;
        // What is deleted is overwritten: an erased event is not to be found in free pages.
        connection.pragma_update(None, "secure_delete", true)?;
        let sites = {
            let mut query = connection.prepare("SELECT name, id FROM sites")?;
            query.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Result<_, _>>()?
        };
        let newest: i64 = connection.query_row("SELECT coalesce(max(id), 0) FROM payloads", [], |r| r.get(0))?;
        let writer = Self {
            checkpointer: Checkpointer::start(&database, CHECKPOINT_BYTES)?,
            connection,
            compressor: Compressor::new(1).map_err(|e| Failure::of_io("cannot set up zstd", &e))?,
            sites,
            next_payload_id: newest + 1,
            _folder: folder,
        };
        Ok((database, writer))
    }

    /// To be called after each commit that wrote about `bytes`.
    pub(super) fn wrote(&mut self, bytes: u64) {
        self.checkpointer.wrote(&self.connection, bytes);
    }
}
