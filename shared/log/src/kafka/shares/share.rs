//! One partition that a member holds.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::Key;
use crate::{
    BatchLimits, LoggedRecord,
    taking::{Taking, payload_bytes},
};

pub(in crate::kafka) struct Share {
    pub key: Key,
    pub holding: u64,
    /// It goes to another member as soon as its batch in hand is done.
    pub leaving: bool,
    /// Where librdkafka has to go on fetching, if not where it is.
    pub seek: Option<u64>,
    /// Offset after the batch that is in hand.
    in_hand: Option<u64>,
    /// The committed offset as far as it is known: where the first record came from, or the last commit.
    resume: Option<u64>,
    /// The offset that comes next; none before the first record.
    pub next: Option<u64>,
    waiting: Taking,
    /// What did not fit into the next batch.
    beyond: VecDeque<LoggedRecord>,
    /// When the first record of the next batch was seen.
    seen: Option<Instant>,
    rests_until: Option<Instant>,
}

impl Share {
    pub(super) fn new(key: Key, holding: u64, limits: BatchLimits) -> Self {
        Self {
            key,
            holding,
            leaving: false,
            seek: None,
            in_hand: None,
            resume: None,
            next: None,
            waiting: Taking::up_to(limits.max_records, limits.max_bytes),
            beyond: VecDeque::new(),
            seen: None,
            rests_until: None,
        }
    }

    pub(super) fn is_in_hand(&self) -> bool {
        self.in_hand.is_some()
    }

    /// Payload bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.waiting.bytes + self.beyond.iter().map(|r| payload_bytes(&r.record)).sum::<usize>()
    }

    /// When the next batch is due; none if there is nothing to hand out.
    pub(super) fn due(&self, window: Duration) -> Option<Instant> {
        if self.leaving || self.is_in_hand() {
            return None;
        }
        let seen = self.seen?;
        Some(if self.waiting.full { seen } else { seen + window })
    }

    /// True if what comes next was unusable when it was fetched last.
    pub(super) fn is_damaged(&self) -> bool {
        self.rests_until.is_some()
    }

    /// True if more may be added.
    pub(super) fn wants(&self, now: Instant) -> bool {
        let stopped = self.leaving || self.is_in_hand() || self.seek.is_some() || self.rests_until.is_some_and(|until| now < until);
        !stopped && !self.waiting.full && self.beyond.is_empty()
    }

    /// Adds what was fetched. True if the holding has become `next_holding`: the partition began anew.
    pub(super) fn add(&mut self, records: Vec<LoggedRecord>, next_holding: u64) -> bool {
        if self.seek.is_some() {
            // Fetched before the caller rewound it: they lie behind what comes next.
            return false;
        }
        let mut anew = false;
        self.rests_until = None;
        for record in records {
            match self.next {
                Some(next) if record.offset < next => {
                    // The topic was deleted and made again: what is held of the old one has lost its meaning.
                    tracing::warn!(partition = self.key.partition, offset = record.offset, next, "the partition has begun anew");
                    self.clear();
                    (self.in_hand, self.resume, self.holding, anew) = (None, None, next_holding, true);
                }
                // One offset is the mark of a transaction of another system.
                Some(next) if record.offset > next + 1 => {
                    tracing::warn!(partition = self.key.partition, from = next, to = record.offset, "offsets are no longer kept; went on");
                }
                _ => {}
            }
            self.resume.get_or_insert(record.offset);
            self.next = Some(record.offset + 1);
            self.seen.get_or_insert_with(Instant::now);
            if !self.beyond.is_empty() {
                self.beyond.push_back(record);
            } else if let Some(record) = self.offer(record) {
                self.beyond.push_back(record);
            }
        }
        anew
    }

    /// Takes `record` into the next batch, or gives it back. A batch does not reach over offsets that are no longer kept,
    /// nor over the mark of a transaction: who lands a batch names it by its ends.
    fn offer(&mut self, record: LoggedRecord) -> Option<LoggedRecord> {
        self.waiting.full |= self.waiting.records.last().is_some_and(|last| record.offset > last.offset + 1);
        self.waiting.offer(record)
    }

    /// Takes the next batch in hand.
    pub(super) fn cut(&mut self, limits: BatchLimits, now: Instant) -> Vec<LoggedRecord> {
        let next = Taking::up_to(limits.max_records, limits.max_bytes);
        let records = std::mem::replace(&mut self.waiting, next).records;
        while let Some(record) = self.beyond.pop_front() {
            if let Some(record) = self.offer(record) {
                self.beyond.push_front(record);
                break;
            }
        }
        self.seen = (!self.waiting.records.is_empty()).then_some(now);
        self.in_hand = records.last().map(|r| r.offset + 1);
        records
    }

    pub(super) fn committed(&mut self, next_offset: u64) {
        self.resume = Some(next_offset);
        if self.in_hand.take() != Some(next_offset) {
            self.go_on_at(next_offset);
        }
    }

    pub(super) fn rewind(&mut self) {
        self.in_hand = None;
        if let Some(resume) = self.resume {
            self.go_on_at(resume);
        }
    }

    /// Fetches again what was to come next, at offset `at`, after a rest.
    pub(super) fn refetch(&mut self, at: u64, rests_until: Instant) {
        self.rests_until = Some(rests_until);
        self.seek = self.seek.or(Some(at));
    }

    fn go_on_at(&mut self, offset: u64) {
        self.clear();
        self.next = Some(offset);
        self.seek = Some(offset);
    }

    fn clear(&mut self) {
        self.waiting = Taking::up_to(self.waiting.max_records, self.waiting.max_bytes);
        self.beyond.clear();
        self.seen = None;
    }
}
