//! Records of one append on their way: each is reported once, and the caller is answered when all are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::error::RDKafkaErrorCode;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::Position;

/// Where the records stand, or what the first one failed with.
pub(super) type Outcome = Result<Vec<Position>, RDKafkaErrorCode>;

/// The records of one append.
pub(super) struct Delivery {
    state: Mutex<State>,
    /// Their share of the queue, given back when the last was reported.
    _room: OwnedSemaphorePermit,
}

struct State {
    unreported: usize,
    positions: Vec<Position>,
    failed: Option<RDKafkaErrorCode>,
    /// Taken when the caller is answered. A caller that went away needs no answer.
    caller: Option<oneshot::Sender<Outcome>>,
}

impl Delivery {
    /// Of `records` records, and what will become of them.
    pub(super) fn of(records: usize, room: OwnedSemaphorePermit) -> (Arc<Self>, oneshot::Receiver<Outcome>) {
        let (caller, outcome) = oneshot::channel();
        let positions = vec![Position { partition: 0, offset: 0 }; records];
        let state = Mutex::new(State { unreported: records, positions, failed: None, caller: Some(caller) });
        (Arc::new(Self { state, _room: room }), outcome)
    }

    /// A record stands at `position`.
    pub(super) fn stands(&self, index: u32, position: Position) {
        let mut state = self.lock();
        if let Some(place) = state.positions.get_mut(index as usize) {
            *place = position;
        }
        state.reported();
    }

    /// A record does not stand, as far as is known.
    pub(super) fn failed(&self, code: RDKafkaErrorCode) {
        let mut state = self.lock();
        state.failed.get_or_insert(code);
        state.reported();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn reported(&mut self) {
        self.unreported = self.unreported.saturating_sub(1);
        if self.unreported == 0
            && let Some(caller) = self.caller.take()
        {
            let outcome = self.failed.map_or_else(|| Ok(std::mem::take(&mut self.positions)), Err);
            drop(caller.send(outcome));
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    fn delivery(records: usize) -> (Arc<Delivery>, oneshot::Receiver<Outcome>, Arc<Semaphore>) {
        let queue = Arc::new(Semaphore::new(1));
        let room = Arc::clone(&queue).try_acquire_owned().unwrap();
        let (delivery, outcome) = Delivery::of(records, room);
        (delivery, outcome, queue)
    }

    #[test]
    fn the_caller_is_answered_after_the_last_report_with_positions_in_order() {
        let (delivery, mut outcome, queue) = delivery(3);
        let position = |offset| Position { partition: 1, offset };
        for index in [2, 0, 1] {
            assert!(outcome.try_recv().is_err());
            delivery.stands(index, position(u64::from(index) + 10));
        }
        assert_eq!(outcome.try_recv().unwrap().unwrap(), [position(10), position(11), position(12)]);
        drop(delivery);
        assert_eq!(queue.available_permits(), 1);
    }

    #[test]
    fn one_failed_record_fails_the_append_but_only_when_the_others_are_reported() {
        let (delivery, mut outcome, _) = delivery(3);
        delivery.failed(RDKafkaErrorCode::MessageTimedOut);
        delivery.failed(RDKafkaErrorCode::PurgeQueue);
        assert!(outcome.try_recv().is_err());
        delivery.stands(0, Position { partition: 0, offset: 0 });
        assert_eq!(outcome.try_recv().unwrap(), Err(RDKafkaErrorCode::MessageTimedOut));
    }
}
