//! Whether a member stands still: now and then librdkafka does not fetch a partition any more after its broker was away,
//! and says nothing (<https://github.com/confluentinc/librdkafka/issues/5153>,
//! <https://github.com/fede1024/rust-rdkafka/issues/597>). A consumer made anew goes on, so that is what is done.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::shares::{Key, Shares};
use crate::LogError;

/// How often the brokers are asked what there is to read.
pub(super) const EVERY: Duration = Duration::from_secs(20);
/// So many looks in a row must find the same records unread and nobody moving.
const LOOKS: u32 = 2;
/// The same for a member that holds no partition: it may have none because others have them all, and one of those may be
/// held up by what it does.
const LOOKS_WITHOUT: u32 = 9;

/// What a group has to read of a partition: from its committed offset, else from the first that is kept, up to the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unread {
    pub partition: u32,
    pub begin: u64,
    pub end: u64,
}

/// Asks the brokers.
#[async_trait]
pub(super) trait Asked: Send + Sync + 'static {
    /// What the member's group has to read of each partition of `topic`.
    async fn unread(&self, topic: &str) -> Result<Vec<Unread>, LogError>;
}

/// A partition that has unread records: which holding of it, none where the member holds nothing, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Suspect {
    key: Key,
    holding: Option<u64>,
    next: u64,
}

/// What a look found: partitions as they were held before the brokers were asked, and what is unread.
struct Look {
    held: Vec<(Key, u64, Option<u64>)>,
    unread: Vec<(Key, Unread)>,
}

/// Looks at one member from time to time.
pub(super) struct Standstill {
    asked: Arc<dyn Asked>,
    topics: Arc<[String]>,
    every: Duration,
    due: Instant,
    look: Option<JoinHandle<Option<Look>>>,
    suspects: Vec<Suspect>,
    /// Looks in a row that found a suspect again.
    found: u32,
}

impl Standstill {
    pub(super) fn new(asked: Arc<dyn Asked>, topics: Arc<[String]>, every: Duration) -> Self {
        Self { asked, topics, every, due: Instant::now() + every, look: None, suspects: Vec::new(), found: 0 }
    }

    /// Ends when the member stands still, with the partitions. Given up, it goes on with the next call.
    pub(super) async fn found(&mut self, shares: &Arc<Shares>) -> Vec<Key> {
        loop {
            sleep_until(self.due).await;
            let look = match &mut self.look {
                Some(look) => look,
                none => none.insert(tokio::spawn(look(Arc::clone(&self.asked), Arc::clone(&self.topics), Arc::clone(shares)))),
            };
            let look = look.await.ok().flatten();
            self.look = None;
            self.due = Instant::now() + self.every;
            let standing = self.judge(look, shares);
            if !standing.is_empty() {
                return standing;
            }
        }
    }

    /// The partitions that stand still, after a look that found out something.
    fn judge(&mut self, look: Option<Look>, shares: &Shares) -> Vec<Key> {
        let suspects = look.map_or_else(Vec::new, |look| suspects(&look, shares));
        let again: Vec<Key> = suspects.iter().filter(|suspect| self.suspects.contains(suspect)).map(|suspect| suspect.key).collect();
        self.found = if suspects.is_empty() {
            0
        } else if again.is_empty() {
            1
        } else {
            self.found + 1
        };
        let enough = if suspects.iter().any(|suspect| suspect.holding.is_some()) { LOOKS } else { LOOKS_WITHOUT };
        self.suspects = suspects;
        if self.found < enough {
            return Vec::new();
        }
        (self.found, self.suspects) = (0, Vec::new());
        again
    }
}

/// Asks what is unread, having noted first where the member is; none if the brokers do not say.
async fn look(asked: Arc<dyn Asked>, topics: Arc<[String]>, shares: Arc<Shares>) -> Option<Look> {
    let held = shares.wanting();
    let mut all = Vec::new();
    for (topic, name) in topics.iter().enumerate() {
        let unread = asked.unread(name).await.ok()?;
        all.extend(unread.into_iter().map(|unread| (Key { topic, partition: unread.partition }, unread)));
    }
    Some(Look { held, unread: all })
}

/// Partitions with unread records that have not moved since before the look.
fn suspects(look: &Look, shares: &Shares) -> Vec<Suspect> {
    let still = shares.wanting();
    let holds_nothing = shares.holds_nothing();
    let suspects = look.unread.iter().filter_map(|(key, unread)| {
        let held = look.held.iter().find(|(held, ..)| held == key).filter(|held| still.contains(held));
        let (holding, next) = match held {
            Some((_, holding, next)) => (Some(*holding), next.unwrap_or(unread.begin)),
            None if holds_nothing && look.held.is_empty() => (None, unread.begin),
            None => return None,
        };
        (unread.end > next).then_some(Suspect { key: *key, holding, next })
    });
    suspects.collect()
}

#[cfg(test)]
mod tests;
