//! When an invocation ends.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// An invocation stops itself so long before Lambda would kill it: long enough to answer, say why, and print metrics.
const BEFORE: Duration = Duration::from_secs(5);
/// A deadline below this, which as a moment would be on 1 January 1970, is the time that is left: `cargo lambda watch` always
/// says 600000.
const NO_MOMENT: Duration = Duration::from_hours(24);

/// When an invocation has to be done.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    began: Instant,
    /// It is stopped then.
    stop: Instant,
}

impl Deadline {
    /// Of the header `Lambda-Runtime-Deadline-Ms`, ms since 1970. It stops 5 s before that, or a tenth of its time where that
    /// is less.
    pub fn of_epoch_ms(deadline: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let deadline = Duration::from_millis(deadline);
        let left = if deadline < NO_MOMENT { deadline } else { deadline.saturating_sub(now) };
        // A tenth of a century is no different from never.
        let left = left.min(Duration::from_hours(24 * 365 * 10));
        let began = Instant::now();
        Self { began, stop: began + left.saturating_sub(BEFORE.min(left / 10)) }
    }

    /// How long work may begin, a step after the other: two thirds of the time, so that the last step has the rest.
    pub fn steps(&self) -> Duration {
        self.stop.saturating_duration_since(self.began) * 2 / 3
    }

    pub(crate) fn stop(&self) -> Instant {
        self.stop
    }

    pub(crate) fn stopped(&self) -> Stopped {
        Stopped { after: self.began.elapsed() }
    }
}

/// An invocation that ran out of time. Every function may be cut off anywhere: what it did stands, and the next invocation
/// does the rest.
#[derive(Debug, thiserror::Error)]
#[error(
    "stopped after {after:.1?}, just before the function's time-out: what was done stands, and the next invocation goes on; where that \
     repeats, raise the time-out or ask for less at a time"
)]
pub struct Stopped {
    after: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(ms: i64) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64;
        let deadline = Deadline::of_epoch_ms((now + ms).max(0) as u64);
        deadline.stop.saturating_duration_since(deadline.began)
    }

    #[test]
    fn an_invocation_stops_before_lambda_kills_it() {
        let near =
            |left: Duration, wanted: u64| assert!(left.abs_diff(Duration::from_millis(wanted)) < Duration::from_millis(100), "{left:?}");
        near(left(900_000), 895_000);
        near(left(20_000), 18_000);
        near(left(1_000), 900);
        near(left(-1_000), 0);
        let of_cargo_lambda = Deadline::of_epoch_ms(600_000);
        near(of_cargo_lambda.stop.saturating_duration_since(of_cargo_lambda.began), 595_000);
        assert!(left(4_102_444_800_000) > Duration::from_hours(1));
    }
}
