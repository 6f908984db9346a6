//! Commits on their way to the group's coordinator.
//!
//! A commit is asked for only while its partition is held, and a partition is given up only when its commits were
//! answered or took too long: so a commit is on its way before the partition can be another's. The coordinator itself
//! would take the commit of any member for any partition.
//!
//! One that took too long is answered as lost, and may stand all the same: without a coordinator librdkafka keeps a
//! commit for as long as a session lasts (10 s), and a group that has become empty takes it. It may move the offset of
//! another member back. Then batches are done again; none is lost, since what is committed was done.

use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;
use tokio::sync::oneshot;

use super::{failure, shares::Key};
use crate::LogError;

/// A commit that is not answered by then has failed.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// Before a commit that met a rebalance or a lost coordinator is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// A commit that somebody waits for.
pub(super) struct Commit {
    pub key: Key,
    /// Of the partition, when its batch was taken.
    pub holding: u64,
    pub next_offset: u64,
    pub caller: oneshot::Sender<Result<(), LogError>>,
    /// Set when it is asked for first.
    until: Option<Instant>,
    /// When to ask again; none while an answer is awaited.
    again_at: Option<Instant>,
}

impl Commit {
    pub(super) fn new(key: Key, holding: u64, next_offset: u64) -> (Self, oneshot::Receiver<Result<(), LogError>>) {
        let (caller, outcome) = oneshot::channel();
        (Self { key, holding, next_offset, caller, until: None, again_at: None }, outcome)
    }

    fn answer(self, outcome: Result<(), LogError>) {
        // Who went away is not told; what was committed is committed.
        drop(self.caller.send(outcome));
    }
}

/// The commits of one member.
#[derive(Default)]
pub(super) struct Commits(Vec<Commit>);

impl Commits {
    /// `ask` sends it; its error is an answer already.
    pub(super) fn begin(&mut self, mut commit: Commit, now: Instant, ask: impl FnOnce(&Commit) -> Result<(), RDKafkaErrorCode>) {
        commit.until.get_or_insert(now + ANSWERED_WITHIN);
        match ask(&commit) {
            Ok(()) => commit.again_at = None,
            Err(code) if failure::passes(code) => commit.again_at = Some(now + PAUSE),
            Err(code) => return commit.answer(Err(failed(code))),
        }
        self.0.push(commit);
    }

    /// The coordinator has answered. True if the commit stands.
    pub(super) fn answered(&mut self, key: Key, next_offset: u64, outcome: Result<(), RDKafkaErrorCode>, now: Instant) -> bool {
        let asked = |c: &Commit| c.key == key && c.next_offset == next_offset && c.again_at.is_none();
        // It was given up meanwhile.
        let Some(at) = self.0.iter().position(asked) else { return false };
        match outcome {
            Ok(()) => self.0.swap_remove(at).answer(Ok(())),
            Err(code) if failure::passes(code) => self.0[at].again_at = Some(now + PAUSE),
            Err(code) => self.0.swap_remove(at).answer(Err(failed(code))),
        }
        outcome.is_ok()
    }

    /// Commits that are to be asked for again.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Commit> {
        self.0.extract_if(.., |c| c.again_at.is_some_and(|at| at <= now)).collect()
    }

    /// Fails those that took too long.
    pub(super) fn expire(&mut self, now: Instant) {
        for commit in self.0.extract_if(.., |c| c.until.is_some_and(|until| until <= now)) {
            commit
                .answer(Err(LogError::Unavailable(format!("the group's coordinator did not answer a commit within {ANSWERED_WITHIN:?}"))));
        }
    }

    /// Fails those of partitions that are held no longer.
    pub(super) fn lost(&mut self, is_lost: impl Fn(Key) -> bool, why: impl Fn(Key) -> LogError) {
        for commit in self.0.extract_if(.., |c| is_lost(c.key)) {
            let error = why(commit.key);
            commit.answer(Err(error));
        }
    }

    /// True if one of `keys` is on its way.
    pub(super) fn any(&self, keys: &[Key]) -> bool {
        self.0.iter().any(|commit| keys.contains(&commit.key))
    }
}

fn failed(code: RDKafkaErrorCode) -> LogError {
    LogError::Unavailable(format!("an offset cannot be committed: {code}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const KEY: Key = Key { topic: 0, partition: 3 };

    #[test]
    fn a_commit_that_meets_a_rebalance_is_asked_for_again_until_it_stands() {
        let (mut commits, now) = (Commits::default(), Instant::now());
        let (commit, mut outcome) = Commit::new(KEY, 1, 7);
        commits.begin(commit, now, |_| Ok(()));
        assert!(!commits.answered(KEY, 7, Err(RDKafkaErrorCode::RebalanceInProgress), now));
        assert!(commits.due(now).is_empty());
        let again = commits.due(now + PAUSE).pop().unwrap();
        commits.begin(again, now + PAUSE, |_| Ok(()));
        assert!(!commits.answered(KEY, 6, Ok(()), now), "another offset");
        assert!(outcome.try_recv().is_err());
        assert!(commits.answered(KEY, 7, Ok(()), now));
        outcome.try_recv().unwrap().unwrap();
        assert!(!commits.any(&[KEY]));
    }

    #[test]
    fn a_commit_fails_when_its_time_is_over_or_its_partition_is_gone() {
        let (mut commits, now) = (Commits::default(), Instant::now());
        let (late, mut late_outcome) = Commit::new(KEY, 1, 7);
        commits.begin(late, now, |_| Err(RDKafkaErrorCode::WaitingForCoordinator));
        let again = commits.due(now + PAUSE).pop().unwrap();
        commits.begin(again, now + ANSWERED_WITHIN / 2, |_| Ok(()));
        commits.expire(now + ANSWERED_WITHIN / 2);
        assert!(late_outcome.try_recv().is_err(), "trying again gives no more time, but the time is not over");
        commits.expire(now + ANSWERED_WITHIN);
        assert!(late_outcome.try_recv().unwrap().unwrap_err().to_string().contains("did not answer"));

        let (gone, mut gone_outcome) = Commit::new(KEY, 1, 7);
        commits.begin(gone, now, |_| Ok(()));
        commits.lost(|key| key == KEY, |_| LogError::Unavailable("gone".to_owned()));
        assert!(gone_outcome.try_recv().unwrap().is_err());
        assert!(!commits.answered(KEY, 7, Ok(()), now), "a late answer finds nobody");

        let (refused, mut refused_outcome) = Commit::new(KEY, 1, 7);
        commits.begin(refused, now, |_| Err(RDKafkaErrorCode::GroupAuthorizationFailed));
        assert!(refused_outcome.try_recv().unwrap().is_err());
    }
}
