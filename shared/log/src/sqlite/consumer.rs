//! A member of a consumer group: waits until a batch of some partition is due and hands it out.

use std::{collections::HashMap, sync::Arc, time::Instant};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{
    Inner,
    group::Group,
    reading::read_into,
    topics::{Partition, Topic},
};
use crate::{Batch, BatchLimits, Consumer, LogError, taking::Taking};

/// See [`Consumer`].
pub(super) struct Member {
    log: Arc<Inner>,
    group_name: String,
    group: Arc<Group>,
    id: u64,
    topics: Vec<Arc<Topic>>,
    limits: BatchLimits,
    appended: watch::Receiver<u64>,
    shares: watch::Receiver<u64>,
    shares_known: bool,
    /// What this member holds, ordered by topic and partition.
    held: Vec<Share>,
    /// Where in `held` the next look begins, so that no partition starves another.
    turn: usize,
}

/// A partition that this member holds.
struct Share {
    topic: Arc<Topic>,
    partition: Arc<Partition>,
    holding: u64,
    /// The first offset not handed out.
    position: u64,
    /// What waits and was read already, from `position` on.
    waiting: Taking,
    /// [`super::topics::Held::appended_bytes`] when `waiting` last reached the end.
    read_at: Option<u64>,
    /// When the first waiting record was seen.
    seen: Option<Instant>,
    /// Its batch is handed out and neither committed nor rewound.
    busy: bool,
}

enum Due {
    Now,
    At(Instant),
    Nothing,
}

impl Share {
    fn reset(&mut self, position: u64, limits: BatchLimits) {
        self.position = position;
        self.waiting = Taking::up_to(limits.max_records, limits.max_bytes);
        self.read_at = None;
        self.seen = None;
        self.busy = false;
    }

    /// Reads what waits as far as a batch may hold.
    async fn fill(&mut self, log: &Inner) -> Result<(), LogError> {
        let held = self.partition.held();
        let (from, shared) = (self.position, &log.shared);
        read_into(&mut self.waiting, &shared.cache, &log.readers, &self.partition, from, held.end).await?;
        self.read_at = Some(held.appended_bytes);
        Ok(())
    }

    async fn due(&mut self, log: &Inner, limits: BatchLimits) -> Result<Due, LogError> {
        let held = self.partition.held();
        let first = self.waiting.records.first().map_or(self.position.max(held.start), |r| r.offset);
        if self.busy || first >= held.end {
            return Ok(Due::Nothing);
        }
        let seen = *self.seen.get_or_insert_with(Instant::now);
        // What waited before we looked is measured by reading it, what comes later by counting.
        let Some(read_at) = self.read_at else {
            self.fill(log).await?;
            return Ok(if self.waiting.full { Due::Now } else { at_the_window(seen, limits) });
        };
        let bytes = self.waiting.bytes as u64 + (held.appended_bytes - read_at);
        let enough = self.waiting.full || held.end - first >= limits.max_records as u64 || bytes >= limits.max_bytes as u64;
        Ok(if enough { Due::Now } else { at_the_window(seen, limits) })
    }
}

fn at_the_window(seen: Instant, limits: BatchLimits) -> Due {
    let at = seen + limits.window;
    if at <= Instant::now() { Due::Now } else { Due::At(at) }
}

impl Member {
    pub(super) fn join(log: Arc<Inner>, group_name: &str, topics: Vec<Arc<Topic>>, limits: BatchLimits) -> Self {
        let group = log.groups.get(group_name);
        let (id, shares) = group.join(topics.clone());
        Self {
            appended: log.shared.appended.subscribe(),
            log,
            group_name: group_name.to_owned(),
            group,
            id,
            topics,
            limits,
            shares,
            shares_known: false,
            held: Vec::new(),
            turn: 0,
        }
    }

    /// Drops what went to other members and takes up what came, from the committed offset.
    fn take_shares(&mut self) {
        let holdings = self.group.holdings(self.id);
        let mut kept: HashMap<i64, Share> = self
            .held
            .drain(..)
            .filter(|share| holdings.get(&share.partition.id) == Some(&share.holding))
            .map(|share| (share.partition.id, share))
            .collect();
        for topic in &self.topics {
            for partition in topic.partitions().iter() {
                let Some(&holding) = holdings.get(&partition.id) else { continue };
                let share = kept.remove(&partition.id).unwrap_or_else(|| {
                    let mut share = Share {
                        topic: Arc::clone(topic),
                        partition: Arc::clone(partition),
                        holding,
                        position: 0,
                        waiting: Taking::default(),
                        read_at: None,
                        seen: None,
                        busy: false,
                    };
                    share.reset(self.log.resume_at(&self.group_name, partition), self.limits);
                    share
                });
                self.held.push(share);
            }
        }
        self.shares_known = true;
    }

    /// The first due batch in turn, or when one will be due by its window.
    async fn look(&mut self) -> Result<Result<Batch, Option<Instant>>, LogError> {
        let mut earliest: Option<Instant> = None;
        for i in 0..self.held.len() {
            let at = (self.turn + i) % self.held.len();
            let share = &mut self.held[at];
            match share.due(&self.log, self.limits).await? {
                Due::Nothing => {}
                Due::At(moment) => earliest = Some(earliest.map_or(moment, |e| e.min(moment))),
                Due::Now => {
                    share.fill(&self.log).await?;
                    // From here on nothing waits, so a caller that stops waiting loses no batch.
                    let id = (share.partition.id, share.holding);
                    if share.waiting.records.is_empty() || !self.group.begin(id) {
                        continue;
                    }
                    let fresh = Taking::up_to(self.limits.max_records, self.limits.max_bytes);
                    let records = std::mem::replace(&mut share.waiting, fresh).records;
                    let batch = Batch { topic: share.topic.name.clone(), partition: share.partition.number, records };
                    share.position = batch.next_offset();
                    share.read_at = None;
                    share.seen = None;
                    share.busy = true;
                    self.turn = at + 1;
                    return Ok(Ok(batch));
                }
            }
        }
        Ok(Err(earliest))
    }

    /// The partition, whether or not it is held at the moment.
    fn partition(&self, topic: &str, partition: u32) -> Result<Arc<Partition>, LogError> {
        self.topics.iter().find(|t| t.name == topic).ok_or_else(|| LogError::UnknownTopic(topic.to_owned()))?.partition(partition)
    }

    /// Lets the partition be handed out again from `position` on.
    fn release(&mut self, partition: &Partition, position: u64) {
        let limits = self.limits;
        if let Some(share) = self.held.iter_mut().find(|s| s.partition.id == partition.id) {
            share.reset(position, limits);
            self.group.finish((partition.id, share.holding));
        }
    }
}

#[async_trait]
impl Consumer for Member {
    async fn next(&mut self) -> Result<Batch, LogError> {
        loop {
            // Marked as seen before looking, so that nothing between the look and the wait is missed.
            self.appended.borrow_and_update();
            let shares_changed = self.shares.has_changed().unwrap_or(false);
            if shares_changed || !self.shares_known {
                self.shares.borrow_and_update();
                self.take_shares();
            }
            self.log.check_open()?;
            let due = match self.look().await? {
                Ok(batch) => return Ok(batch),
                Err(due) => due,
            };
            let window = async {
                match due {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = self.appended.changed() => {}
                _ = self.shares.changed() => self.shares_known = false,
                () = window => {}
            }
        }
    }

    async fn commit(&mut self, topic: &str, partition: u32, next_offset: u64) -> Result<(), LogError> {
        let partition = self.partition(topic, partition)?;
        if !self.group.holdings(self.id).contains_key(&partition.id) {
            return Err(LogError::Unavailable(format!(
                "partition {} of {topic} is held by another member of group {}; its batch will be handed out there",
                partition.number, self.group_name
            )));
        }
        self.log.progress(&self.group_name, partition.id, next_offset).await?;
        self.release(&partition, next_offset);
        Ok(())
    }

    async fn rewind(&mut self, topic: &str, partition: u32) -> Result<(), LogError> {
        let partition = self.partition(topic, partition)?;
        let position = self.log.resume_at(&self.group_name, &partition);
        self.release(&partition, position);
        Ok(())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.group.leave(self.id);
    }
}
