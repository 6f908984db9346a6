//! The embedded log on `SQLite`.
//!
//! Appends of many callers share one transaction (group commit) and are answered when it is on the
//! disk; each commit stores the records of a partition as one compressed, checksummed block. New
//! blocks stay in memory for a while, so consumers near the end read nothing from the disk.
//! Consumer groups are shared by the members of this process, which is the only one that may open
//! the folder.

mod append;
mod block;
mod cache;
mod consumer;
mod expiry;
mod group;
mod loading;
mod options;
mod reading;
mod topics;
mod writer;

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex,
        mpsc::{Sender, channel},
    },
    thread::JoinHandle,
};

use async_trait::async_trait;
use clickstream_sqlite::{Checkpointer, Database, Failure, Folder, Migration, Readers};
use tokio::sync::{Semaphore, oneshot, watch};

use crate::{
    BatchLimits, Consumer, Extent, Log, LogError, LoggedRecord, Position, Record,
    taking::{Taking, queued_bytes},
};
use append::{Append, Progress};
use cache::Cache;
use consumer::Member;
use expiry::Expiry;
use group::Groups;
pub use options::SqliteLogOptions;
use topics::{Partition, Topics, locked};
use writer::{Command, Pace, Writer};

const MIGRATIONS: &[Migration] = &[Migration { file: "0001_log.sql", sql: include_str!("../../../schema/sqlite/log/0001_log.sql") }];

/// Bytes that a queued record takes besides its payload.
const QUEUED_OVERHEAD_BYTES: usize = 128;
/// Bytes written between two checkpoints.
const CHECKPOINT_BYTES: u64 = 16 << 20;

/// A log in a folder of its own: `log.db` and what `SQLite` keeps beside it.
///
/// Dropping the last handle (consumers are handles too) writes what is queued and blocks until that
/// is done; [`SqliteLog::close`] does the same without blocking the runtime.
#[derive(Clone, Debug)]
pub struct SqliteLog {
    inner: Arc<Inner>,
}

/// What callers and the writer both see.
#[derive(Debug)]
struct Shared {
    topics: Topics,
    cache: Cache,
    /// By group and partition row.
    committed: Mutex<HashMap<(String, i64), u64>>,
    /// Counts commits that appended; consumers wait for it.
    appended: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    log_id: String,
    options: SqliteLogOptions,
    shared: Arc<Shared>,
    readers: Readers,
    groups: Groups,
    /// Free bytes of the queue.
    queue: Arc<Semaphore>,
    /// `None` once closed.
    writer: Mutex<Option<(Sender<Command>, JoinHandle<()>)>>,
}

impl SqliteLog {
    /// Opens or makes the log in the folder `path`, with the default options.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] if another process (or handle) has it open, naming both.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        Self::open_with(path, SqliteLogOptions::default())
    }

    /// Opens or makes the log in the folder `path`.
    ///
    /// # Errors
    /// As [`SqliteLog::open`].
    pub fn open_with(path: &Path, options: SqliteLogOptions) -> Result<Self, LogError> {
        let folder = Folder::claim(path)?;
        let (database, connection) = Database::open(&folder, "log.db", MIGRATIONS, options.tuning())?;
        let shared = Arc::new(Shared {
            topics: Topics::load(&connection)?,
            cache: Cache::new(options.cache_bytes),
            committed: Mutex::new(loading::committed(&connection)?),
            appended: watch::Sender::new(0),
        });
        let log_id = loading::log_id(&connection)?;
        let (sender, commands) = channel();
        let writer = Writer {
            shared: Arc::clone(&shared),
            commands,
            checkpointer: Checkpointer::start(&database, CHECKPOINT_BYTES)?,
            expiry: Expiry::resume(&connection)?,
            connection,
            folder,
            pace: Pace::new(options.commit_interval),
        };
        let thread = writer.spawn()?;
        let inner = Inner {
            log_id,
            shared,
            readers: Readers::new(database, 4),
            groups: Groups::default(),
            queue: Arc::new(Semaphore::new(options.queue_bytes)),
            writer: Mutex::new(Some((sender, thread))),
            options,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Writes everything queued, ends the writer and frees the folder. Every later call, and every
    /// waiting consumer, gets [`LogError::Unavailable`]. Closing twice does nothing.
    pub async fn close(&self) {
        let inner = Arc::clone(&self.inner);
        if let Err(error) = tokio::task::spawn_blocking(move || inner.end()).await {
            tracing::error!(%error, "closing the log was cut off");
        }
    }
}

impl Inner {
    fn end(&self) {
        let Some((sender, thread)) = locked(&self.writer).take() else { return };
        self.readers.close();
        drop(sender);
        if thread.join().is_err() {
            tracing::error!("the log's writer panicked");
        }
        // Wakes consumers, which then see that the log is closed.
        self.shared.appended.send_modify(|n| *n += 1);
    }

    fn check_open(&self) -> Result<(), LogError> {
        if locked(&self.writer).is_some() { Ok(()) } else { Err(closed()) }
    }

    /// Sends a command and waits for its answer.
    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<Result<T, Failure>>) -> Command) -> Result<T, LogError> {
        let (reply, answer) = oneshot::channel();
        match &*locked(&self.writer) {
            Some((sender, _)) => sender.send(command(reply)).map_err(|_| closed())?,
            None => return Err(closed()),
        }
        Ok(answer.await.map_err(|_| closed())??)
    }

    async fn progress(&self, group: &str, partition_id: i64, next_offset: u64) -> Result<(), LogError> {
        let group = group.to_owned();
        self.ask(|reply| Command::Progress(Progress { group, partition_id, next_offset, reply })).await
    }

    fn committed(&self, group: &str, partition: &Partition) -> Option<u64> {
        locked(&self.shared.committed).get(&(group.to_owned(), partition.id)).copied()
    }

    /// Where a consumer of `group` goes on.
    fn resume_at(&self, group: &str, partition: &Partition) -> u64 {
        self.committed(group, partition).unwrap_or(0).max(partition.held().start)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.end();
    }
}

#[async_trait]
impl Log for SqliteLog {
    async fn log_id(&self) -> Result<String, LogError> {
        Ok(self.inner.log_id.clone())
    }

    async fn create_topic(&self, topic: &str, partitions: u32) -> Result<(), LogError> {
        let (name, partitions) = (topic.to_owned(), partitions.max(1));
        self.inner.ask(|reply| Command::CreateTopic { name, partitions, reply }).await?;
        self.inner.groups.reassign();
        Ok(())
    }

    async fn append(&self, topic: &str, records: Vec<Record>) -> Result<Vec<Position>, LogError> {
        let inner = &self.inner;
        let topic = inner.shared.topics.get(topic)?;
        let partitions = topic.partitions();
        let bytes = queued_bytes(&records, QUEUED_OVERHEAD_BYTES)?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let share = bytes.min(inner.options.queue_bytes).min(u32::MAX as usize) as u32;
        let share = tokio::time::timeout(inner.options.max_wait, Arc::clone(&inner.queue).acquire_many_owned(share))
            .await
            .map_err(|_| {
                let (bytes, wait) = (inner.options.queue_bytes, inner.options.max_wait);
                LogError::Unavailable(format!("{bytes} bytes have been waiting to be written for {wait:?}"))
            })?
            .map_err(|_| closed())?;
        let count = partitions.len() as u32;
        let records = records.into_iter().map(|r| (topic.place(&r, count), r)).collect();
        inner.ask(|reply| Command::Append(Append { records, partitions, bytes, reply, share })).await
    }

    async fn read(
        &self,
        topic: &str,
        partition: u32,
        from: u64,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<Vec<LoggedRecord>, LogError> {
        let inner = &self.inner;
        inner.check_open()?;
        let partition = inner.shared.topics.get(topic)?.partition(partition)?;
        let mut taking = Taking::up_to(max_records, max_bytes);
        let end = partition.held().end;
        let (cache, readers) = (&inner.shared.cache, &inner.readers);
        reading::read_into(&mut taking, cache, readers, &partition, from, end).await?;
        Ok(taking.records)
    }

    async fn extents(&self, topic: &str) -> Result<Vec<Extent>, LogError> {
        let partitions = self.inner.shared.topics.get(topic)?.partitions();
        let extent = |p: &Arc<Partition>| {
            let held = p.held();
            Extent { partition: p.number, start: held.start, end: held.end }
        };
        Ok(partitions.iter().map(extent).collect())
    }

    async fn committed(&self, group: &str, topic: &str) -> Result<Vec<(u32, Option<u64>)>, LogError> {
        let partitions = self.inner.shared.topics.get(topic)?.partitions();
        Ok(partitions.iter().map(|p| (p.number, self.inner.committed(group, p))).collect())
    }

    async fn subscribe(&self, group: &str, topics: &[&str], limits: BatchLimits) -> Result<Box<dyn Consumer>, LogError> {
        self.inner.check_open()?;
        let topics: Result<Vec<_>, _> = topics.iter().map(|t| self.inner.shared.topics.get(t)).collect();
        let mut topics = topics?;
        topics.sort_by_key(|t| t.id);
        topics.dedup_by_key(|t| t.id);
        let limits = BatchLimits { max_records: limits.max_records.max(1), ..limits };
        Ok(Box::new(Member::join(Arc::clone(&self.inner), group, topics, limits)))
    }

    async fn expire(&self, topic: &str, partition: u32, offset: u64) -> Result<(), LogError> {
        let partition = self.inner.shared.topics.get(topic)?.partition(partition)?;
        self.inner.ask(|reply| Command::Expire { partition, offset, reply }).await
    }
}

fn closed() -> LogError {
    LogError::Unavailable("the log is closed".to_owned())
}

impl From<Failure> for LogError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable(e) => Self::Unavailable(e),
            Failure::Full => Self::Full,
            Failure::Corrupt(e) => Self::Corrupt(e),
        }
    }
}
