//! Appending: a bounded queue, then the lanes of a topic's partitions.

mod lanes;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rdkafka::{ClientConfig, error::RDKafkaErrorCode};
use tokio::{sync::Semaphore, time::timeout};

use super::{
    delivery::Delivery,
    failure::{self, closed},
};
use crate::{LogError, Position, Record, taking::queued_bytes};
use lanes::Live;

/// Bytes of records that may wait for their acknowledgement, with [`QUEUED_OVERHEAD_BYTES`] each.
const QUEUE_BYTES: u32 = 32 << 20;
/// About what librdkafka and we keep of a record besides its payload, bytes.
const QUEUED_OVERHEAD_BYTES: usize = 256;
/// How long an append waits for room in the queue before it is [`LogError::Unavailable`].
const ROOM_WITHIN: Duration = Duration::from_secs(2);

/// The sending half of a log.
pub(super) struct Sender {
    config: ClientConfig,
    delivered_within: Duration,
    /// Made with the first append, and anew when its producer broke.
    live: Mutex<Option<Arc<Live>>>,
    queue: Arc<Semaphore>,
    closed: AtomicBool,
}

impl Sender {
    pub(super) fn new(config: ClientConfig, delivered_within: Duration) -> Self {
        let queue = Arc::new(Semaphore::new(QUEUE_BYTES as usize));
        Self { config, delivered_within, live: Mutex::new(None), queue, closed: AtomicBool::new(false) }
    }

    /// Appends to `topic` (its full name), which the caller calls `name`.
    pub(super) async fn append(&self, topic: &str, name: &str, records: Vec<Record>) -> Result<Vec<Position>, LogError> {
        let bytes = queued_bytes(&records, QUEUED_OVERHEAD_BYTES)?;
        let live = self.live()?;
        let lanes = live.lanes(topic, name).await?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let share = u32::try_from(bytes).unwrap_or(u32::MAX).min(QUEUE_BYTES);
        let room = timeout(ROOM_WITHIN, Arc::clone(&self.queue).acquire_many_owned(share)).await;
        let full = || LogError::Unavailable(format!("{QUEUE_BYTES} bytes have been waiting for the brokers for {ROOM_WITHIN:?}"));
        let room = room.map_err(|_| full())?.map_err(|_| closed())?;

        let (delivery, outcome) = Delivery::of(records.len(), room);
        let touched = lanes.queue(records, &delivery);
        touched.iter().for_each(|lane| lane.go_on());
        let outcome = timeout(self.delivered_within, outcome).await.unwrap_or_else(|_| {
            touched.iter().for_each(|lane| lane.withdraw(&delivery));
            Ok(Err(RDKafkaErrorCode::MessageTimedOut))
        });
        let outcome = outcome.unwrap_or(Err(RDKafkaErrorCode::PurgeQueue));
        outcome.map_err(|code| {
            // One that was deleted is waited for in vain: the next append asks again.
            if failure::is_unknown_topic(code) || code == RDKafkaErrorCode::MessageTimedOut {
                live.forget(topic);
            }
            failure::of_code(code, name)
        })
    }

    /// Refuses what comes from now on, and waits until everything queued is acknowledged or has failed.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        let all = timeout(self.delivered_within + Duration::from_secs(2), self.queue.acquire_many(QUEUE_BYTES)).await;
        if all.is_err() {
            tracing::error!("records were given up when the log was closed; their callers were told");
        }
        self.queue.close();
        drop(self.lock().take());
    }

    /// Has the next append see how many partitions `topic` has now.
    pub(super) async fn refresh(&self, topic: &str) -> Result<(), LogError> {
        let live = self.lock().clone();
        match live {
            Some(live) => live.refresh(topic).await,
            None => Ok(()),
        }
    }

    fn live(&self) -> Result<Arc<Live>, LogError> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(closed());
        }
        let mut current = self.lock();
        if let Some(live) = current.as_ref().filter(|live| !live.is_broken()) {
            return Ok(Arc::clone(live));
        }
        let live = Live::start(&self.config)?;
        *current = Some(Arc::clone(&live));
        Ok(live)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rdkafka::{bindings::rd_kafka_test_fatal_error, types::RDKafkaRespErr};

    use super::*;
    use crate::kafka::settings::Settings;

    #[test]
    fn a_producer_that_broke_is_replaced() {
        let sender = Sender::new(Settings::new("127.0.0.1:1").producer(), Duration::from_secs(1));
        let first = sender.live().unwrap();
        assert!(Arc::ptr_eq(&first, &sender.live().unwrap()));
        let fatal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
        #[expect(unsafe_code, reason = "librdkafka has this for tests, and the client lives")]
        unsafe {
            rd_kafka_test_fatal_error(first.native_client(), fatal, c"a test".as_ptr());
        }
        let second = sender.live().unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        assert!(Arc::ptr_eq(&second, &sender.live().unwrap()));
    }
}
