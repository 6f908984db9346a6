//! A producer with the lanes of each topic that it writes.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use rdkafka::ClientConfig;
use tokio::time::timeout;

use crate::{
    LogError, Record,
    kafka::{blocking, delivery::Delivery, lane::Lane, producer::Producer, settings::ANSWER_WITHIN, topics},
    partition_for,
};

/// Partitions that another host added are written to after this time.
const REFRESHED_AFTER: Duration = Duration::from_secs(5);

/// A producer for as long as it works.
pub(super) struct Live {
    producer: Arc<Producer>,
    /// Topics that were there when they were last asked for.
    topics: RwLock<HashMap<String, Arc<Lanes>>>,
    asking: tokio::sync::Mutex<Option<Unanswered>>,
}

/// The last question whether a topic exists, if the brokers did not say.
struct Unanswered {
    topic: String,
    at: Instant,
    why: String,
}

/// The lanes of one topic, by partition.
pub(super) struct Lanes {
    topic: Arc<str>,
    by_partition: RwLock<Vec<Arc<Lane>>>,
    asked_at: Mutex<Instant>,
    /// Where records without key go next.
    turn: AtomicU32,
}

impl Live {
    pub(super) fn start(config: &ClientConfig) -> Result<Arc<Self>, LogError> {
        let producer = Arc::new(Producer::start(config)?);
        Ok(Arc::new(Self { producer, topics: RwLock::default(), asking: tokio::sync::Mutex::default() }))
    }

    /// An idempotent producer that can no longer tell what stands and what does not refuses everything from then on.
    pub(super) fn is_broken(&self) -> bool {
        let broken = self.producer.client().fatal_error();
        if let Some((code, why)) = &broken {
            tracing::error!(%code, why, "the producer cannot go on; a new one takes its place");
        }
        broken.is_some()
    }

    #[cfg(test)]
    pub(super) fn native_client(&self) -> *mut rdkafka::types::RDKafka {
        self.producer.client().native_ptr()
    }

    /// The lanes of `topic`, which the caller calls `name`. The first append asks whether it exists: records of an
    /// unknown topic would wait in librdkafka until they are overdue.
    pub(super) async fn lanes(self: &Arc<Self>, topic: &str, name: &str) -> Result<Arc<Lanes>, LogError> {
        if let Some(lanes) = self.known(topic) {
            if lanes.is_to_be_asked() {
                // Nobody waits for it; a failure is met by the next append.
                drop(tokio::spawn({
                    let (live, topic) = (Arc::clone(self), topic.to_owned());
                    async move { live.refresh(&topic).await }
                }));
            }
            return Ok(lanes);
        }
        // Of many first appends one asks, and those that wait for it share its answer: a question blocks a thread until it
        // is answered or its time is over, whoever stops waiting.
        let came = Instant::now();
        let late = |_| LogError::Unavailable(format!("no broker says within {ANSWER_WITHIN:?} whether topic {name} exists"));
        let mut unanswered = timeout(ANSWER_WITHIN, self.asking.lock()).await.map_err(late)?;
        if let Some(lanes) = self.known(topic) {
            return Ok(lanes);
        }
        if let Some(last) = unanswered.as_ref().filter(|last| last.topic == topic && last.at >= came) {
            return Err(LogError::Unavailable(last.why.clone()));
        }
        let asked = self.ask(topic, name).await;
        *unanswered = match &asked {
            Err(LogError::Unavailable(why)) => Some(Unanswered { topic: topic.to_owned(), at: Instant::now(), why: why.clone() }),
            _ => None,
        };
        asked
    }

    /// Looks how many partitions `topic` has now, if it is written to.
    pub(super) async fn refresh(&self, topic: &str) -> Result<(), LogError> {
        if self.known(topic).is_some() {
            self.ask(topic, topic).await?;
        }
        Ok(())
    }

    pub(super) fn forget(&self, topic: &str) {
        self.topics.write().unwrap_or_else(PoisonError::into_inner).remove(topic);
    }

    fn known(&self, topic: &str) -> Option<Arc<Lanes>> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner).get(topic).cloned()
    }

    /// Asks through the producer's own client, which knows the partitions from then on.
    async fn ask(&self, topic: &str, name: &str) -> Result<Arc<Lanes>, LogError> {
        let (producer, full, called) = (Arc::clone(&self.producer), topic.to_owned(), name.to_owned());
        let count = blocking(move || topics::partitions(producer.client(), &full, &called)).await?;
        if count == 0 {
            return Err(LogError::Unavailable(format!("topic {name} is just being made")));
        }
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        let lanes = topics.entry(topic.to_owned()).or_insert_with(|| Lanes::of(topic));
        lanes.grow(count, &self.producer);
        Ok(Arc::clone(lanes))
    }
}

impl Lanes {
    fn of(topic: &str) -> Arc<Self> {
        let asked_at = Mutex::new(Instant::now());
        Arc::new(Self { topic: topic.into(), by_partition: RwLock::default(), asked_at, turn: AtomicU32::new(0) })
    }

    fn grow(&self, partitions: u32, producer: &Arc<Producer>) {
        let mut lanes = self.by_partition.write().unwrap_or_else(PoisonError::into_inner);
        for partition in lanes.len() as u32..partitions {
            lanes.push(Lane::new(Arc::clone(producer), Arc::clone(&self.topic), partition));
        }
    }

    /// True once in a while.
    fn is_to_be_asked(&self) -> bool {
        let mut asked_at = self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let due = asked_at.elapsed() >= REFRESHED_AFTER;
        if due {
            *asked_at = Instant::now();
        }
        due
    }

    /// Queues `records` and returns the lanes that have some of them. What has no key goes to one partition, and that of
    /// the next append to the next.
    pub(super) fn queue(&self, records: Vec<Record>, delivery: &Arc<Delivery>) -> Vec<Arc<Lane>> {
        let lanes = self.by_partition.read().unwrap_or_else(PoisonError::into_inner);
        let count = lanes.len() as u32;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % count;
        let mut touched = vec![false; lanes.len()];
        for (index, record) in records.into_iter().enumerate() {
            let partition = record.key.as_ref().map_or(turn, |key| partition_for(key, count)) as usize;
            lanes[partition].queue(record, delivery, index as u32);
            touched[partition] = true;
        }
        touched.iter().zip(lanes.iter()).filter(|(touched, _)| **touched).map(|(_, lane)| Arc::clone(lane)).collect()
    }
}
