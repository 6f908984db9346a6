//! Who may try the log: everyone while it answers; after a failure nobody for a second, and then one at a time until
//! it answers again.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use clickstream_telemetry::metric;
use tokio::sync::Notify;

/// How long the log is left alone after a failure.
const REST: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The log answers.
    Closed,
    /// It did not, and is left alone until then.
    Open(Instant),
    /// One caller is trying it.
    Probing,
}

/// The state of one log, shared by all that append to it.
#[derive(Debug)]
pub struct Breaker {
    state: Mutex<State>,
    back: Notify,
}

/// The right to try the log once. The outcome must be told; a caller that goes away without leaves the try to the next.
#[derive(Debug)]
pub struct Pass<'a> {
    breaker: &'a Breaker,
    probe: bool,
}

impl Breaker {
    /// A log that answers as far as is known.
    pub fn new() -> Self {
        show(true);
        Self { state: Mutex::new(State::Closed), back: Notify::new() }
    }

    /// None: the log is to be left alone.
    pub fn pass(&self) -> Option<Pass<'_>> {
        self.pass_at(Instant::now())
    }

    fn pass_at(&self, now: Instant) -> Option<Pass<'_>> {
        let mut state = self.lock();
        match *state {
            State::Closed => Some(Pass { breaker: self, probe: false }),
            State::Open(until) if until <= now => {
                *state = State::Probing;
                Some(Pass { breaker: self, probe: true })
            }
            State::Open(_) | State::Probing => None,
        }
    }

    /// Waits until the log answers after it did not. One waiter is told; if none waits, the next one is at once.
    pub async fn back(&self) {
        self.back.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The log answered.
    pub fn worked(mut self) {
        if self.probe {
            self.probe = false;
            *self.breaker.lock() = State::Closed;
            show(true);
            self.breaker.back.notify_one();
        }
    }

    /// The log did not answer. True if this was the first to notice.
    pub fn failed(self) -> bool {
        self.failed_at(Instant::now())
    }

    fn failed_at(mut self, now: Instant) -> bool {
        let mut state = self.breaker.lock();
        let first = *state == State::Closed;
        // Who began before the failure was known says nothing new.
        if first || self.probe {
            *state = State::Open(now + REST);
        }
        drop(state);
        self.probe = false;
        if first {
            show(false);
        }
        first
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.probe {
            *self.breaker.lock() = State::Open(Instant::now());
        }
    }
}

fn show(reachable: bool) {
    metrics::gauge!(metric::LOG_REACHABLE).set(if reachable { 1.0 } else { 0.0 });
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn after_a_failure_the_log_rests_and_then_one_at_a_time_tries_it() {
        let (breaker, began) = (Breaker::new(), Instant::now());
        let (one, other) = (breaker.pass().unwrap(), breaker.pass().unwrap());
        assert!(one.failed_at(began));
        assert!(!other.failed_at(began), "the second failure is no news");
        assert!(breaker.pass_at(began).is_none());
        assert!(breaker.pass_at(began + Duration::from_millis(999)).is_none());
        let probe = breaker.pass_at(began + REST).unwrap();
        assert!(breaker.pass_at(began + REST).is_none(), "one at a time");
        assert!(!probe.failed_at(began + REST));
        assert!(breaker.pass_at(began + REST).is_none(), "it rests again");
        breaker.pass_at(began + 2 * REST).unwrap().worked();
        assert!(breaker.pass().is_some() && breaker.pass().is_some());
        breaker.back().await;
    }

    #[test]
    fn a_caller_that_goes_away_leaves_the_try_to_the_next() {
        let (breaker, began) = (Breaker::new(), Instant::now());
        breaker.pass().unwrap().failed_at(began);
        drop(breaker.pass_at(began + REST).unwrap());
        breaker.pass_at(began + REST).unwrap().worked();
        drop(breaker.pass().unwrap());
        assert!(breaker.pass().is_some(), "going away while the log answers changes nothing");
    }

    #[test]
    fn who_began_before_the_failure_does_not_disturb_the_one_that_tries() {
        let (breaker, began) = (Breaker::new(), Instant::now());
        let [fails, works] = [breaker.pass().unwrap(), breaker.pass().unwrap()];
        breaker.pass().unwrap().failed_at(began);
        let probe = breaker.pass_at(began + REST).unwrap();
        fails.failed_at(began);
        works.worked();
        assert!(breaker.pass_at(began + 2 * REST).is_none(), "still one at a time");
        probe.worked();
        assert!(breaker.pass().is_some());
    }
}
