//! Topics and partitions as they are known in memory; the tables are read once, at opening.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
};

use clickstream_sqlite::Failure;
use rusqlite::Connection;

use crate::{LogError, Record, partition_for};

/// A mutex whose data stays whole even if a holder panicked, because it is only ever replaced.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a partition holds durably.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub start: u64,
    pub end: u64,
    /// Payload bytes appended since the log was opened; consumers tell from it how much waits.
    pub appended_bytes: u64,
}

#[derive(Debug)]
pub(super) struct Partition {
    /// Its row in the table `partitions`.
    pub id: i64,
    pub number: u32,
    held: Mutex<Held>,
}

impl Partition {
    pub(super) fn new(id: i64, number: u32, start: u64, end: u64) -> Arc<Self> {
        Arc::new(Self { id, number, held: Mutex::new(Held { start, end, appended_bytes: 0 }) })
    }

    pub(super) fn held(&self) -> Held {
        *locked(&self.held)
    }

    pub(super) fn appended(&self, end: u64, bytes: u64) {
        let mut held = locked(&self.held);
        held.end = end;
        held.appended_bytes += bytes;
    }

    pub(super) fn expired(&self, start: u64) {
        locked(&self.held).start = start;
    }
}

type Partitions = Arc<Vec<Arc<Partition>>>;

#[derive(Debug)]
pub(super) struct Topic {
    pub id: i64,
    pub name: String,
    partitions: RwLock<Partitions>,
    /// Where the next record without key goes.
    turn: AtomicU32,
}

impl Topic {
    pub(super) fn new(id: i64, name: &str, partitions: Vec<Arc<Partition>>) -> Arc<Self> {
        Arc::new(Self { id, name: name.to_owned(), partitions: RwLock::new(Arc::new(partitions)), turn: AtomicU32::new(0) })
    }

    /// Ordered by number, without gaps.
    pub(super) fn partitions(&self) -> Partitions {
        Arc::clone(&self.partitions.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn grow(&self, partitions: Vec<Arc<Partition>>) {
        *self.partitions.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(partitions);
    }

    pub(super) fn partition(&self, number: u32) -> Result<Arc<Partition>, LogError> {
        let partitions = self.partitions();
        partitions
            .get(number as usize)
            .cloned()
            .ok_or_else(|| LogError::Unavailable(format!("topic {} has partitions 0 to {}, not {number}", self.name, partitions.len() - 1)))
    }

    /// The partition that `record` goes to.
    pub(super) fn place(&self, record: &Record, partitions: u32) -> u32 {
        match &record.key {
            Some(key) => partition_for(key, partitions),
            None => self.turn.fetch_add(1, Ordering::Relaxed) % partitions,
        }
    }
}

/// Every topic by its name.
#[derive(Debug, Default)]
pub(super) struct Topics(RwLock<HashMap<String, Arc<Topic>>>);

impl Topics {
    pub(super) fn get(&self, name: &str) -> Result<Arc<Topic>, LogError> {
        self.find(name).ok_or_else(|| LogError::UnknownTopic(name.to_owned()))
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<Topic>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub(super) fn insert(&self, topic: Arc<Topic>) {
        let mut topics = self.0.write().unwrap_or_else(PoisonError::into_inner);
        topics.insert(topic.name.clone(), topic);
    }

    /// Reads the tables `topics`, `partitions` and the ends of `blocks`.
    pub(super) fn load(connection: &Connection) -> Result<Self, Failure> {
        let mut found: HashMap<i64, (String, Vec<Arc<Partition>>)> = HashMap::new();
        let mut query = connection.prepare(
            "SELECT t.id, t.name, p.id, p.number, p.start_offset,
                    max(p.end_offset, coalesce(
                        (SELECT max(b.next_offset) FROM blocks b WHERE b.partition_id = p.id), 0))
             FROM topics t JOIN partitions p ON p.topic_id = t.id ORDER BY t.id, p.number",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let (start, end): (i64, i64) = (row.get(4)?, row.get(5)?);
            let partition = Partition::new(row.get(2)?, row.get(3)?, start as u64, end as u64);
            let (_, partitions) = found.entry(row.get(0)?).or_insert((row.get(1)?, Vec::new()));
            if partition.number as usize != partitions.len() {
                return Err(Failure::Corrupt(format!("partition {} is missing", partitions.len())));
            }
            partitions.push(partition);
        }
        let topics = Self::default();
        for (id, (name, partitions)) in found {
            topics.insert(Topic::new(id, &name, partitions));
        }
        Ok(topics)
    }
}
