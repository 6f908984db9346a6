//! Moving the WAL's pages into the database file without holding up commits.
//!
//! `SQLite`'s own checkpoints run inside a commit, which then takes tens of milliseconds. Here a
//! thread of its own copies the pages (passively, so neither waits for the other), and the writer
//! afterwards copies the few that came in the meantime; only then can `SQLite` begin the WAL anew.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use rusqlite::Connection;

use crate::{Database, Failure};

const IDLE: u8 = 0;
const RUNNING: u8 = 1;
const FINISHED: u8 = 2;

/// The checkpointing thread of one database, spoken to by its writer. Dropping it waits for the
/// checkpoint under way.
#[derive(Debug)]
pub struct Checkpointer {
    start: Option<SyncSender<()>>,
    state: Arc<AtomicU8>,
    thread: Option<JoinHandle<()>>,
    pending_bytes: u64,
    every_bytes: u64,
}

impl Checkpointer {
    /// Starts the thread; a checkpoint is due each time about `every_bytes` were written.
    ///
    /// # Errors
    /// Those of opening the file and of starting a thread.
    pub fn start(database: &Database, every_bytes: u64) -> Result<Self, Failure> {
        let connection = database.checkpoints()?;
        let (start, due) = sync_channel::<()>(1);
        let state = Arc::new(AtomicU8::new(IDLE));
        let shared = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || {
                while due.recv().is_ok() {
                    checkpoint(&connection);
                    shared.store(FINISHED, Ordering::Release);
                }
            })
            .map_err(|e| Failure::of_io("cannot start the checkpoint thread", &e))?;
        Ok(Self { start: Some(start), state, thread: Some(thread), pending_bytes: 0, every_bytes })
    }

    /// To be called by the writer after each commit that wrote about `bytes`.
    pub fn wrote(&mut self, writer: &Connection, bytes: u64) {
        self.pending_bytes += bytes;
        match self.state.load(Ordering::Acquire) {
            FINISHED => {
                checkpoint(writer);
                self.state.store(IDLE, Ordering::Release);
            }
            IDLE if self.pending_bytes >= self.every_bytes => {
                self.pending_bytes = 0;
                self.state.store(RUNNING, Ordering::Release);
                if let Some(start) = &self.start {
                    // A thread that ended is noticed by the log's growth only; commits stay durable.
                    if start.send(()).is_err() {
                        tracing::error!("the checkpoint thread has ended; the write-ahead log grows");
                    }
                }
            }
            _ => {}
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.start = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpoint thread panicked");
        }
    }
}

fn checkpoint(connection: &Connection) {
    // Not fatal: the pages stay in the WAL, from where they are read, and the next one takes them.
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::warn!(%error, "a checkpoint failed");
    }
}
