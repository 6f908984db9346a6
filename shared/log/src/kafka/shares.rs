//! What a member holds: its partitions and the records that wait in each, cut into batches.
//!
//! The member's thread fills, the member's caller takes. A partition whose batch is in hand is not filled further, so
//! memory is bounded by [`Limits::budget`] and by what librdkafka fetches ahead for each partition.

mod share;

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::failure::closed;
use crate::{BatchLimits, LogError, LoggedRecord};
pub(super) use share::Share;

/// Errors kept for the caller; of more only the newest are told.
const ERRORS: usize = 4;

/// A partition: the number of its topic among the member's, and its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub topic: usize,
    pub partition: u32,
}

/// A batch that was taken.
#[derive(Debug)]
pub(super) struct Taken {
    pub key: Key,
    /// Tells this holding of the partition from earlier and later ones.
    pub holding: u64,
    pub records: Vec<LoggedRecord>,
}

/// How batches are cut, and how much may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub batch: BatchLimits,
    /// Bytes that may wait in all partitions whose batch is not in hand. When so much waits, the largest is due.
    pub budget: usize,
}

impl Limits {
    pub(super) fn of(batch: BatchLimits) -> Self {
        Self { batch, budget: batch.max_bytes.saturating_mul(2).max(8 << 20) }
    }
}

/// The partitions of one member.
pub(super) struct Shares {
    limits: Limits,
    state: Mutex<State>,
    /// Something may be due.
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// Ordered by key.
    shares: Vec<Share>,
    /// Where the next look begins, so that no partition starves another.
    turn: usize,
    last_holding: u64,
    errors: VecDeque<LogError>,
    anew: Option<String>,
    ended: bool,
}

impl Shares {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default(), changed: Notify::new() }
    }

    /// Takes the next batch that is due; waits for it. Given up, it takes nothing.
    pub(super) async fn take(&self) -> Result<Taken, LogError> {
        loop {
            // A change between the look and the wait is kept by `changed`.
            let due = match self.lock().cut(&self.limits, Instant::now()) {
                Ok(taken) => return taken,
                Err(due) => due,
            };
            let window = async {
                match due {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.changed.notified() => {}
                () = window => {}
            }
        }
    }

    /// The holding of `key`, if it is held.
    pub(super) fn holding(&self, key: Key) -> Option<u64> {
        self.lock().share(key).map(|share| share.holding)
    }

    /// These partitions are held from now on.
    pub(super) fn assigned(&self, keys: impl IntoIterator<Item = Key>) {
        let mut state = self.lock();
        for key in keys {
            state.last_holding += 1;
            let share = Share::new(key, state.last_holding, self.limits.batch);
            state.shares.retain(|share| share.key != key);
            state.shares.push(share);
        }
        state.shares.sort_unstable_by_key(|share| share.key);
    }

    /// No batch of these partitions is handed out any more.
    pub(super) fn leave(&self, keys: &[Key]) {
        self.lock().shares.iter_mut().filter(|share| keys.contains(&share.key)).for_each(|share| share.leaving = true);
    }

    /// These partitions are held no longer; what waited of them is dropped.
    pub(super) fn gone(&self, keys: &[Key]) {
        self.lock().shares.retain(|share| !keys.contains(&share.key));
    }

    /// Partitions that more is wanted of and could be had, each with its holding and the offset that comes next, if anything
    /// of it was seen.
    pub(super) fn wanting(&self) -> Vec<(Key, u64, Option<u64>)> {
        let (state, now) = (self.lock(), Instant::now());
        if state.waiting_bytes() >= self.limits.budget {
            return Vec::new();
        }
        let wanting = state.shares.iter().filter(|share| share.wants(now) && !share.is_damaged());
        wanting.map(|share| (share.key, share.holding, share.next)).collect()
    }

    pub(super) fn holds_nothing(&self) -> bool {
        self.lock().shares.is_empty()
    }

    /// Has the member's thread begin with a new consumer, because `why`.
    pub(super) fn begin_anew(&self, why: String) {
        self.lock().anew = Some(why);
    }

    /// Why the member's thread is to begin with a new consumer, if it is.
    pub(super) fn to_begin_anew(&self) -> Option<String> {
        self.lock().anew.take()
    }

    /// Drops everything.
    pub(super) fn all_gone(&self) {
        self.lock().shares.clear();
    }

    /// True if a batch of one of `keys` is being worked on.
    pub(super) fn in_hand(&self, keys: &[Key]) -> bool {
        self.lock().shares.iter().any(|share| keys.contains(&share.key) && share.is_in_hand())
    }

    /// True if more of `key` may wait.
    pub(super) fn wants(&self, key: Key) -> bool {
        let mut state = self.lock();
        state.waiting_bytes() < self.limits.budget && state.share(key).is_some_and(|share| share.wants(Instant::now()))
    }

    /// `records` of `key` wait from now on.
    pub(super) fn add(&self, key: Key, records: Vec<LoggedRecord>) {
        let mut state = self.lock();
        let next_holding = state.last_holding + 1;
        if let Some(share) = state.share(key)
            && share.add(records, next_holding)
        {
            state.last_holding = next_holding;
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Everything of `key` below `next_offset` is committed.
    pub(super) fn committed(&self, key: Key, next_offset: u64) {
        if let Some(share) = self.lock().share(key) {
            share.committed(next_offset);
        }
        self.changed.notify_one();
    }

    /// Hands `key` out again from where it was committed, if it is the same holding of it.
    pub(super) fn rewind(&self, key: Key, holding: u64) {
        if let Some(share) = self.lock().share(key).filter(|share| share.holding == holding) {
            share.rewind();
        }
    }

    /// The offset that comes next of `key`; none if nothing of this holding was seen.
    pub(super) fn next(&self, key: Key) -> Option<u64> {
        self.lock().share(key).and_then(|share| share.next)
    }

    /// What comes next of `key`, at offset `at`, is unusable; it is fetched again after `rest`.
    pub(super) fn refetch(&self, key: Key, at: u64, rest: Duration) {
        if let Some(share) = self.lock().share(key) {
            share.refetch(at, Instant::now() + rest);
        }
    }

    /// Partitions whose fetching has to go on elsewhere, and at which offset.
    pub(super) fn seeks(&self) -> Vec<(Key, u64)> {
        self.lock().shares.iter().filter_map(|share| share.seek.map(|offset| (share.key, offset))).collect()
    }

    /// The fetching of `key` goes on at `offset`.
    pub(super) fn sought(&self, key: Key, offset: u64) {
        if let Some(share) = self.lock().share(key)
            && share.seek == Some(offset)
        {
            share.seek = None;
        }
    }

    /// Tells the caller.
    pub(super) fn report(&self, error: LogError) {
        let mut state = self.lock();
        if state.errors.len() == ERRORS {
            state.errors.pop_front();
        }
        state.errors.push_back(error);
        drop(state);
        self.changed.notify_one();
    }

    /// The member's thread has ended.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.shares.clear();
        state.ended = true;
        drop(state);
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn share(&mut self, key: Key) -> Option<&mut Share> {
        self.shares.iter_mut().find(|share| share.key == key)
    }

    fn waiting_bytes(&self) -> usize {
        self.shares.iter().filter(|share| !share.is_in_hand()).map(Share::bytes).sum()
    }

    /// A batch or an error, or when the next look is worth while.
    fn cut(&mut self, limits: &Limits, now: Instant) -> Result<Result<Taken, LogError>, Option<Instant>> {
        if self.ended {
            return Ok(Err(closed()));
        }
        if let Some(error) = self.errors.pop_front() {
            return Ok(Err(error));
        }
        let count = self.shares.len();
        let mut earliest: Option<Instant> = None;
        for n in 0..count {
            let at = (self.turn + n) % count;
            match self.shares[at].due(limits.batch.window) {
                Some(due) if due <= now => return Ok(Ok(self.cut_share(at, limits.batch, now))),
                Some(due) => earliest = Some(earliest.map_or(due, |e| e.min(due))),
                None => {}
            }
        }
        if self.waiting_bytes() >= limits.budget {
            let due = (0..count).filter(|at| self.shares[*at].due(limits.batch.window).is_some());
            if let Some(largest) = due.max_by_key(|at| self.shares[*at].bytes()) {
                return Ok(Ok(self.cut_share(largest, limits.batch, now)));
            }
        }
        Err(earliest)
    }

    fn cut_share(&mut self, at: usize, limits: BatchLimits, now: Instant) -> Taken {
        self.turn = at + 1;
        let share = &mut self.shares[at];
        Taken { key: share.key, holding: share.holding, records: share.cut(limits, now) }
    }
}

#[cfg(test)]
mod tests;
