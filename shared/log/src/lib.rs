//! The log port: topics of partitions of records, appended durably and read by consumer groups.
//!
//! Offsets count records of one partition from 0 and never change their meaning; ranges are
//! half-open everywhere: `[w, w′)`. A committed offset is the *next* one to read, as in Kafka.

pub mod conformance;
pub mod kafka;
mod measured;
mod partitioner;
mod records;
pub mod sqlite;
mod taking;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

pub use measured::measured;
pub use partitioner::partition_for;
pub use records::{event_record, rejection_record};

/// Topic of accepted events, keyed `site_id:event_id`.
pub const EVENTS: &str = "events";
/// Topic of rejected events, without key.
pub const REJECTED: &str = "rejected";
/// Topic on which other systems send events.
pub const INBOUND: &str = "inbound";
/// Topic of a log on a server on which `clickstream doctor` tries whether records can be written and read.
pub const DOCTOR: &str = "clickstream-doctor";

/// The largest record that a log takes, bytes of key, value and headers: Kafka's default
/// (`message.max.bytes`) without what its record batch adds, so that what fits here fits there.
pub const MAX_RECORD_BYTES: usize = 1_000_000;

/// A record to append.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Chooses the partition (murmur2, as Kafka's default partitioner); none spreads evenly.
    pub key: Option<Bytes>,
    /// The payload.
    pub value: Bytes,
    /// Names and values carried beside the payload (trace context, schema version).
    pub headers: Vec<(String, Bytes)>,
}

/// Where an appended record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Partition of the topic.
    pub partition: u32,
    /// Offset within the partition.
    pub offset: u64,
}

/// A record read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedRecord {
    /// Offset within the partition.
    pub offset: u64,
    /// When it was appended, µs UTC.
    pub appended_at: i64,
    /// The record.
    pub record: Record,
}

/// Records of one partition, in offset order, as a consumer hands them out.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: u32,
    /// The records, at least one.
    pub records: Vec<LoggedRecord>,
}

impl Batch {
    /// The offset to commit when this batch is done: last offset + 1.
    pub fn next_offset(&self) -> u64 {
        self.records.last().map_or(0, |r| r.offset + 1)
    }
}

/// What one partition holds: offsets `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The partition.
    pub partition: u32,
    /// The first offset still kept.
    pub start: u64,
    /// The offset that the next record gets.
    pub end: u64,
}

/// How a consumer cuts batches: a batch is handed out when any limit is reached.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Records at most.
    pub max_records: usize,
    /// Bytes of payload at most (one record may exceed it).
    pub max_bytes: usize,
    /// Longest wait since the first record waiting in the partition was seen.
    pub window: Duration,
}

/// What a caller can do about a failed call.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The log cannot be reached or is overloaded; the same call may succeed later.
    #[error("the log is unavailable: {0}")]
    Unavailable(String),
    /// The disk is full; nothing was appended.
    #[error("the log's disk is full")]
    Full,
    /// The topic does not exist; `clickstream setup` makes it.
    #[error("topic {0} does not exist")]
    UnknownTopic(String),
    /// A record is over the log's limit.
    #[error("a record of {size} bytes is over the limit of {limit}")]
    TooLarge {
        /// Its size, bytes.
        size: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// The log's own data is damaged; an operator is needed.
    #[error("the log is damaged: {0}")]
    Corrupt(String),
}

/// A durable log.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// The identity of this log's epoch, made once at setup. `(log_id, partition, offset)` is an event's place.
    /// Asked for and not known from the start, because a log on a server keeps it there: who only appends must be
    /// able to start while the server is away.
    async fn log_id(&self) -> Result<String, LogError>;

    /// Makes `topic` with `partitions` if it does not exist; raises the count if it has fewer. Never lowers it.
    async fn create_topic(&self, topic: &str, partitions: u32) -> Result<(), LogError>;

    /// Appends the records durably: when this returns their positions, in the order of `records`, a crash loses
    /// none of them. Records of one call that meet in a partition stand there in their order.
    ///
    /// After an error the embedded log holds none of them. On Kafka some may stand, since without transactions
    /// partitions acknowledge on their own: who tries again writes them twice, and downstream they count once, by
    /// `(site_id, event_id)`. [`LogError::TooLarge`] and [`LogError::UnknownTopic`] are found before anything is sent.
    async fn append(&self, topic: &str, records: Vec<Record>) -> Result<Vec<Position>, LogError>;

    /// Reads records of one partition from offset `from` on: at most `max_records` and about `max_bytes`.
    /// Empty where nothing is there yet; starts at the first kept offset if `from` was expired.
    async fn read(
        &self,
        topic: &str,
        partition: u32,
        from: u64,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<Vec<LoggedRecord>, LogError>;

    /// What each partition holds, ordered by partition.
    async fn extents(&self, topic: &str) -> Result<Vec<Extent>, LogError>;

    /// The next offset of `group` per partition, ordered by partition; `None` where it never committed.
    async fn committed(&self, group: &str, topic: &str) -> Result<Vec<(u32, Option<u64>)>, LogError>;

    /// A member of `group` that reads `topics` from the committed offsets (else from the first kept offset).
    async fn subscribe(&self, group: &str, topics: &[&str], limits: BatchLimits) -> Result<Box<dyn Consumer>, LogError>;

    /// Forgets records of `topic` below `offset` in `partition`.
    async fn expire(&self, topic: &str, partition: u32, offset: u64) -> Result<(), LogError>;
}

/// Shared handle to a log.
pub type SharedLog = Arc<dyn Log>;

/// Partitions of the topics, where they are made.
const TOPICS: [(&str, u32); 3] = [(EVENTS, 4), (REJECTED, 1), (INBOUND, 2)];

/// What `LOG_URL` may be.
pub const URLS: &str = "sqlite:FOLDER names the folder of the log, kafka://HOST:PORT,… brokers of Kafka";

/// Opens the log that `url` (`LOG_URL`) names.
///
/// `sqlite:FOLDER` is the embedded log; topics that are missing are made. `kafka://HOST:PORT,…?OPTION=VALUE&…` is
/// Kafka ([`kafka::KafkaOptions`]): nothing is asked of it yet, so that this works while it is away; its topics are
/// made by [`kafka::KafkaLog::set_up`].
pub async fn connect(url: &str) -> Result<SharedLog, LogError> {
    if url.starts_with("kafka:") {
        return Ok(Arc::new(kafka::KafkaLog::open(url)?));
    }
    let Some(folder) = url.strip_prefix("sqlite:").filter(|f| !f.is_empty()) else {
        return Err(LogError::Unavailable(format!("LOG_URL is wrong: {URLS}")));
    };
    let log = sqlite::SqliteLog::open(std::path::Path::new(folder))?;
    for (topic, partitions) in TOPICS {
        log.create_topic(topic, partitions).await?;
    }
    Ok(Arc::new(log))
}

/// A member of a consumer group. Each partition is held by one member at a time.
#[async_trait]
pub trait Consumer: Send {
    /// The next batch of one partition; waits until one is due by the limits.
    /// The same partition is not handed out further before its batch is committed or rewound.
    async fn next(&mut self) -> Result<Batch, LogError>;

    /// Durably says that everything below `next_offset` of the partition is done.
    ///
    /// [`LogError::Unavailable`] if the partition has gone to another member meanwhile: nothing is committed that was
    /// not asked for before, and the batch is handed out there once more. What was under way when the partition went,
    /// and after any other error, may be committed or not: at worst batches are done again, and none is lost.
    async fn commit(&mut self, topic: &str, partition: u32, next_offset: u64) -> Result<(), LogError>;

    /// Hands the partition out again from its committed offset (after a failed batch). If it has gone to another
    /// member, nothing is left to do.
    async fn rewind(&mut self, topic: &str, partition: u32) -> Result<(), LogError>;
}
