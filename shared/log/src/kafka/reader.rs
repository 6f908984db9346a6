//! Reading where one is told to, and what groups have committed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    Message, Offset, TopicPartitionList,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};

use super::{failure, iam, logging::Quiet, message, settings::ANSWER_WITHIN};
use crate::{LogError, LoggedRecord, taking::Taking};

/// Readers kept for the next read. Each has a few threads and connections.
const IDLE_READERS: usize = 2;

type Reader = BaseConsumer<Quiet>;

/// Consumers of no group, each used by one read at a time.
#[derive(Default)]
pub(super) struct Readers {
    idle: Mutex<Vec<Reader>>,
    /// One for each group whose offsets were asked for. It is not a member of the group.
    of_groups: Mutex<HashMap<String, Arc<Reader>>>,
}

/// What to read.
pub(super) struct Wanted<'a> {
    pub topic: &'a str,
    pub partition: u32,
    /// `[from, end)` is there.
    pub from: u64,
    pub end: u64,
    pub max_records: usize,
    pub max_bytes: usize,
}

fn new_reader(config: &rdkafka::ClientConfig) -> Result<Reader, LogError> {
    Reader::from_config_and_context(config, Quiet).map_err(|e| LogError::Unavailable(format!("no consumer can be made: {e}")))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Readers {
    /// Reads; blocks. `name` is what the caller calls the topic.
    pub(super) fn read(&self, config: &rdkafka::ClientConfig, wanted: &Wanted<'_>, name: &str) -> Result<Vec<LoggedRecord>, LogError> {
        let idle = locked(&self.idle).pop();
        let reader = idle.map_or_else(|| new_reader(config), Ok)?;
        iam::authorize(reader.client(), config)?;
        let read = read(&reader, wanted).map_err(|error| failure::of_topic(&error, name))?;
        // A reader that failed is not kept: its next read would begin with what is left of this one.
        if reader.unassign().is_ok() {
            let mut idle = locked(&self.idle);
            if idle.len() < IDLE_READERS {
                idle.push(reader);
            }
        }
        Ok(read)
    }

    /// The committed offsets of partitions 0 to `partitions` of `topic`; blocks.
    pub(super) fn committed(
        &self,
        config: &rdkafka::ClientConfig,
        group: &str,
        topic: &str,
        name: &str,
        partitions: u32,
    ) -> Result<Vec<(u32, Option<u64>)>, LogError> {
        let reader = {
            let mut of_groups = locked(&self.of_groups);
            match of_groups.get(group) {
                Some(reader) => Arc::clone(reader),
                None => Arc::clone(of_groups.entry(group.to_owned()).or_insert(Arc::new(new_reader(config)?))),
            }
        };
        iam::authorize(reader.client(), config)?;
        let mut asked = TopicPartitionList::with_capacity(partitions as usize);
        for partition in 0..partitions {
            asked.add_partition(topic, partition as i32);
        }
        let failed = |error| failure::of_topic(&error, name);
        let told = reader.committed_offsets(asked, ANSWER_WITHIN).map_err(failed)?;
        // Hand out what it has logged and noticed meanwhile.
        drop(reader.poll(Duration::ZERO));
        let mut committed = Vec::with_capacity(partitions as usize);
        for element in told.elements() {
            element.error().map_err(failed)?;
            let offset = match element.offset() {
                Offset::Offset(offset) => u64::try_from(offset).ok(),
                _ => None,
            };
            committed.push((element.partition() as u32, offset));
        }
        committed.sort_unstable_by_key(|(partition, _)| *partition);
        Ok(committed)
    }

    /// Ends all consumers; blocks.
    pub(super) fn close(&self) {
        let readers = (std::mem::take(&mut *locked(&self.idle)), std::mem::take(&mut *locked(&self.of_groups)));
        drop(readers);
    }
}

fn read(reader: &Reader, wanted: &Wanted<'_>) -> Result<Vec<LoggedRecord>, KafkaError> {
    let mut at = TopicPartitionList::with_capacity(1);
    at.add_partition_offset(wanted.topic, wanted.partition as i32, Offset::Offset(wanted.from as i64))?;
    reader.assign(&at)?;
    let mut taking = Taking::up_to(wanted.max_records, wanted.max_bytes);
    let until = Instant::now() + ANSWER_WITHIN;
    while !taking.full && taking.next(wanted.from) < wanted.end {
        let left = until.saturating_duration_since(Instant::now());
        match reader.poll(left) {
            Some(Ok(message)) if message.topic() == wanted.topic && message.partition() == wanted.partition as i32 => {
                let record = message::record(&message);
                if record.offset >= wanted.end || !taking.take(record) {
                    break;
                }
            }
            // Nothing more can be read: what ends a partition may be no record, such as the mark of a transaction.
            Some(Err(KafkaError::PartitionEOF(_))) => break,
            Some(Err(error)) if error_ends(&error) => return Err(error),
            // What is there is an answer; the caller asks for the rest.
            None if left.is_zero() && !taking.records.is_empty() => break,
            None if left.is_zero() => return Err(KafkaError::MessageConsumption(rdkafka::error::RDKafkaErrorCode::OperationTimedOut)),
            _ => {}
        }
    }
    Ok(taking.records)
}

/// False where librdkafka goes on by itself.
fn error_ends(error: &KafkaError) -> bool {
    let code = failure::code(error);
    code.is_none_or(|code| !failure::passes(code) && code != rdkafka::error::RDKafkaErrorCode::Resolve)
}
