//! Appending: a bounded queue in front of the producer.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use rdkafka::{ClientConfig, error::RDKafkaErrorCode};
use tokio::{sync::Semaphore, time::timeout};

use super::{blocking, delivery::Delivery, failure, producer::Producer, settings::ANSWER_WITHIN, topics};
use crate::{LogError, MAX_RECORD_BYTES, Position, Record, taking::record_bytes};

/// Bytes of records that may wait for their acknowledgement, with [`QUEUED_OVERHEAD_BYTES`] each.
const QUEUE_BYTES: usize = 32 << 20;
/// About what librdkafka and we keep of a record besides its payload, bytes.
const QUEUED_OVERHEAD_BYTES: usize = 256;
/// How long an append waits for room in the queue before it is [`LogError::Unavailable`].
const ROOM_WITHIN: Duration = Duration::from_secs(2);
/// Records queued before other tasks get a turn.
const TURN: usize = 512;

/// The sending half of a log.
pub(super) struct Sender {
    config: ClientConfig,
    delivered_within: Duration,
    /// Made with the first append, and anew when it broke.
    producer: Mutex<Option<Arc<Producer>>>,
    /// Topics that were there when they were last asked for.
    known: RwLock<HashSet<String>>,
    asking: tokio::sync::Mutex<()>,
    queue: Arc<Semaphore>,
}

impl Sender {
    pub(super) fn new(config: ClientConfig, delivered_within: Duration) -> Self {
        Self {
            config,
            delivered_within,
            producer: Mutex::new(None),
            known: RwLock::default(),
            asking: tokio::sync::Mutex::default(),
            queue: Arc::new(Semaphore::new(QUEUE_BYTES)),
        }
    }

    /// Appends to `topic` (its full name), which the caller calls `name`.
    pub(super) async fn append(&self, topic: &str, name: &str, records: Vec<Record>) -> Result<Vec<Position>, LogError> {
        let mut bytes = 0;
        for record in &records {
            let size = record_bytes(record);
            if size > MAX_RECORD_BYTES {
                return Err(LogError::TooLarge { size, limit: MAX_RECORD_BYTES });
            }
            bytes += size + QUEUED_OVERHEAD_BYTES;
        }
        let producer = self.producer()?;
        self.ask_for(&producer, topic, name).await?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let share = bytes.min(QUEUE_BYTES) as u32;
        let room = timeout(ROOM_WITHIN, Arc::clone(&self.queue).acquire_many_owned(share)).await;
        let full = || LogError::Unavailable(format!("{QUEUE_BYTES} bytes have been waiting for the brokers for {ROOM_WITHIN:?}"));
        let room = room.map_err(|_| full())?.map_err(|_| closed())?;
        let (delivery, outcome) = Delivery::of(records.len(), room);
        for (index, record) in records.iter().enumerate() {
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            if let Err(code) = queue(&producer, topic, record, &delivery, index).await {
                // What was queued before it is waited for, so that nothing is under way after the answer.
                delivery.failed(records.len() - index, code);
                break;
            }
        }
        drop((records, delivery));
        // librdkafka looks for what is overdue once a second.
        let late = || LogError::Unavailable(format!("no word of records of topic {name} within {:?}", self.delivered_within));
        let outcome = timeout(self.delivered_within + Duration::from_secs(3), outcome).await.map_err(|_| late())?;
        outcome.unwrap_or(Err(RDKafkaErrorCode::PurgeQueue)).map_err(|code| {
            if failure::is_unknown_topic(code) {
                self.forget(topic);
            }
            failure::of_code(code, name)
        })
    }

    /// Waits until everything queued is acknowledged or has failed, and refuses what comes then.
    pub(super) async fn close(&self) {
        self.queue.close();
        let producer = self.live().take();
        let within = self.delivered_within;
        if let Some(producer) = producer
            && let Err(error) = blocking(move || producer.flush(within).map_err(|e| LogError::Unavailable(e.to_string()))).await
        {
            tracing::error!(%error, "records were given up when the log was closed; their callers were told");
        }
    }

    /// Has the producer look at `topic` again, whose partitions have grown.
    pub(super) async fn refresh(&self, topic: &str) -> Result<(), LogError> {
        let Some(producer) = self.live().clone() else { return Ok(()) };
        let topic = topic.to_owned();
        blocking(move || topics::partitions(producer.client(), &topic, &topic).map(drop)).await
    }

    fn live(&self) -> MutexGuard<'_, Option<Arc<Producer>>> {
        self.producer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn producer(&self) -> Result<Arc<Producer>, LogError> {
        if self.queue.is_closed() {
            return Err(closed());
        }
        let mut live = self.live();
        if let Some(producer) = live.as_ref().filter(|producer| !producer.is_broken()) {
            return Ok(Arc::clone(producer));
        }
        if let Some(broken) = live.take() {
            let why = broken.client().fatal_error().map_or_else(String::new, |(_, why)| why);
            tracing::error!(why, "the producer cannot go on; a new one takes its place");
        }
        let producer = Arc::new(Producer::start(&self.config)?);
        *live = Some(Arc::clone(&producer));
        Ok(producer)
    }

    /// A record of an unknown topic would wait in librdkafka until it is overdue; so the first append asks.
    async fn ask_for(&self, producer: &Arc<Producer>, topic: &str, name: &str) -> Result<(), LogError> {
        let is_known = || self.known.read().unwrap_or_else(PoisonError::into_inner).contains(topic);
        if is_known() {
            return Ok(());
        }
        let asked = async {
            // Of many first appends one asks.
            let _asking = self.asking.lock().await;
            if is_known() {
                return Ok(());
            }
            let (client, full, called) = (Arc::clone(producer), topic.to_owned(), name.to_owned());
            blocking(move || topics::partitions(client.client(), &full, &called)).await?;
            self.known.write().unwrap_or_else(PoisonError::into_inner).insert(topic.to_owned());
            Ok(())
        };
        let late = |_| Err(LogError::Unavailable(format!("no broker says within {ANSWER_WITHIN:?} whether topic {name} exists")));
        timeout(ANSWER_WITHIN, asked).await.unwrap_or_else(late)
    }

    fn forget(&self, topic: &str) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(topic);
    }
}

/// Queues one record. librdkafka's own queue is full only where one append alone is larger than ours.
async fn queue(producer: &Producer, topic: &str, record: &Record, delivery: &Arc<Delivery>, index: usize) -> Result<(), RDKafkaErrorCode> {
    const PAUSE: Duration = Duration::from_millis(5);
    let mut waited = Duration::ZERO;
    loop {
        match producer.send(topic, record, delivery, index as u32) {
            Err(RDKafkaErrorCode::QueueFull) if waited < ROOM_WITHIN => {
                tokio::time::sleep(PAUSE).await;
                waited += PAUSE;
            }
            queued => return queued,
        }
    }
}

pub(super) fn closed() -> LogError {
    LogError::Unavailable("the log is closed".to_owned())
}
