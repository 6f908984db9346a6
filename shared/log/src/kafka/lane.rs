//! The way to one partition: while one batch of records is under way, what comes meanwhile gathers for the next.
//!
//! librdkafka gathers too (`linger.ms`), but it makes every record wait for that time, however idle the brokers are;
//! and while a batch of an idempotent producer is under way its thread spins, with no pause between two looks, until it
//! may send what has waited long enough. Handed over batch by batch, records wait no longer than they have to, and
//! nothing waits in librdkafka.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{delivery::Delivery, producer::Producer};
use crate::{Record, taking::record_bytes};

/// Bytes of one batch, with [`OVERHEAD_BYTES`] for each record: what librdkafka puts into one request (`batch.size`).
const BATCH_BYTES: usize = 900_000;
/// About what a record's lengths, offsets and times take in a batch.
const OVERHEAD_BYTES: usize = 64;
/// Records of one batch, as many as librdkafka puts into one request (`batch.num.messages`).
const BATCH_RECORDS: usize = 10_000;

/// One record on its way; it is given back with the report.
pub(super) struct Sent {
    pub record: Record,
    pub delivery: Arc<Delivery>,
    /// Among those of its delivery.
    pub index: u32,
    pub lane: Arc<Lane>,
}

/// The way to one partition.
pub(super) struct Lane {
    producer: Arc<Producer>,
    topic: Arc<str>,
    partition: i32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Records handed to librdkafka and not reported yet.
    under_way: usize,
    waiting: VecDeque<Sent>,
}

impl Lane {
    pub(super) fn new(producer: Arc<Producer>, topic: Arc<str>, partition: u32) -> Arc<Self> {
        Arc::new(Self { producer, topic, partition: partition as i32, state: Mutex::default() })
    }

    /// Queues a record; [`Lane::go_on`] sends it.
    pub(super) fn queue(self: &Arc<Self>, record: Record, delivery: &Arc<Delivery>, index: u32) {
        let sent = Sent { record, delivery: Arc::clone(delivery), index, lane: Arc::clone(self) };
        self.lock().waiting.push_back(sent);
    }

    /// Takes back what has not been sent of `delivery`, whose caller has been answered.
    pub(super) fn withdraw(&self, delivery: &Arc<Delivery>) {
        let withdrawn: VecDeque<Sent> = {
            let mut state = self.lock();
            let (withdrawn, waiting) = std::mem::take(&mut state.waiting).into_iter().partition(|s| Arc::ptr_eq(&s.delivery, delivery));
            state.waiting = waiting;
            withdrawn
        };
        drop(withdrawn);
    }

    /// A record was reported.
    pub(super) fn reported(&self) {
        self.done(1);
    }

    /// Sends the next batch, if none is under way.
    pub(super) fn go_on(&self) {
        while let Some(batch) = self.next_batch() {
            let mut refused = 0;
            for sent in batch {
                if let Err((code, sent)) = self.producer.send(&self.topic, self.partition, sent) {
                    sent.delivery.failed(code);
                    refused += 1;
                }
            }
            if refused == 0 || self.still_under_way(refused) {
                return;
            }
        }
    }

    fn done(&self, records: usize) {
        if !self.still_under_way(records) {
            self.go_on();
        }
    }

    /// `records` fewer are under way; false if these were the last.
    fn still_under_way(&self, records: usize) -> bool {
        let mut state = self.lock();
        state.under_way = state.under_way.saturating_sub(records);
        state.under_way > 0
    }

    fn next_batch(&self) -> Option<Vec<Sent>> {
        let mut state = self.lock();
        if state.under_way > 0 || state.waiting.is_empty() {
            return None;
        }
        let mut bytes = 0;
        let mut fits = |sent: &Sent| {
            bytes += record_bytes(&sent.record) + OVERHEAD_BYTES;
            bytes <= BATCH_BYTES
        };
        let count = state.waiting.iter().take(BATCH_RECORDS).take_while(|s| fits(s)).count().max(1);
        // Counted before the first is sent, so that its report does not look like that of the last.
        state.under_way = count;
        Some(state.waiting.drain(..count).collect())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
