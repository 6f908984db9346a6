//! A member of a consumer group, as its caller sees it.

use std::{
    collections::HashMap,
    sync::{Arc, mpsc},
    time::Duration,
};

use async_trait::async_trait;
use rdkafka::ClientConfig;

use super::{
    commits::Commit,
    failure::closed,
    session::{self, Subscription},
    shares::{Key, Limits, Shares, Taken},
    standstill::{Asked, Standstill},
    threads::{Handle, Threads},
};
use crate::{Batch, BatchLimits, Consumer, LogError};

/// See [`Consumer`]. Dropped, it leaves the group, and what it has in hand goes to the others.
pub(super) struct Member {
    subscription: Arc<Subscription>,
    shares: Arc<Shares>,
    commits: mpsc::Sender<Commit>,
    thread: Handle,
    /// Of each partition, which holding of it the last batch is of.
    handed: HashMap<Key, u64>,
    standstill: Standstill,
}

impl Member {
    /// A member of `group` (its full name) that reads `topics` (name and full name). It joins while the caller goes on.
    /// What there is to read it has `asked` so often, to notice when it stands still.
    pub(super) fn join(
        threads: &Threads,
        config: ClientConfig,
        group: String,
        topics: Vec<(String, String)>,
        limits: BatchLimits,
        asked: Arc<dyn Asked>,
        asked_every: Duration,
    ) -> Result<Self, LogError> {
        let names = topics.iter().map(|(name, _)| name.clone()).collect();
        let standstill = Standstill::new(asked, names, asked_every);
        let subscription = Arc::new(Subscription { config, group, topics });
        let shares = Arc::new(Shares::new(Limits::of(limits)));
        let (commits, asked) = mpsc::channel();
        let thread = threads.start({
            let (subscription, shares) = (Arc::clone(&subscription), Arc::clone(&shares));
            move |stop| session::run(&subscription, &shares, &asked, &stop)
        })?;
        Ok(Self { subscription, shares, commits, thread, handed: HashMap::new(), standstill })
    }

    fn key(&self, topic: &str, partition: u32) -> Result<Key, LogError> {
        let number = self.subscription.topics.iter().position(|(name, _)| name == topic);
        Ok(Key { topic: number.ok_or_else(|| LogError::UnknownTopic(topic.to_owned()))?, partition })
    }
}

#[async_trait]
impl Consumer for Member {
    async fn next(&mut self) -> Result<Batch, LogError> {
        let Taken { key, holding, records } = loop {
            tokio::select! {
                taken = self.shares.take() => break taken?,
                standing = self.standstill.found(&self.shares) => {
                    let names: Vec<_> = standing.iter().map(|key| format!("{}/{}", self.subscription.topics[key.topic].0, key.partition)).collect();
                    self.shares.begin_anew(format!("nothing comes of {} though there is more to read", names.join(", ")));
                    self.thread.wake();
                }
            }
        };
        self.handed.insert(key, holding);
        // There is room again in what may wait.
        self.thread.wake();
        Ok(Batch { topic: self.subscription.topics[key.topic].0.clone(), partition: key.partition, records })
    }

    async fn commit(&mut self, topic: &str, partition: u32, next_offset: u64) -> Result<(), LogError> {
        let key = self.key(topic, partition)?;
        let holding = self.handed.get(&key).copied().or_else(|| self.shares.holding(key));
        let holding = holding.ok_or_else(|| self.subscription.lost(key))?;
        let (commit, outcome) = Commit::new(key, holding, next_offset);
        self.commits.send(commit).map_err(|_| closed())?;
        self.thread.wake();
        outcome.await.unwrap_or_else(|_| Err(closed()))
    }

    async fn rewind(&mut self, topic: &str, partition: u32) -> Result<(), LogError> {
        let key = self.key(topic, partition)?;
        if let Some(holding) = self.handed.get(&key) {
            self.shares.rewind(key, *holding);
            self.thread.wake();
        }
        Ok(())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.thread.stop();
    }
}
