//! The log on Kafka, by librdkafka.
//!
//! Appends go through one idempotent producer, each to the partition that [`crate::partition_for`] says (librdkafka's
//! `murmur2_random`); consumer groups are Kafka's own, so any number of hosts share the
//! partitions. What blocks in librdkafka runs on threads of its own, never on those of the runtime.
//!
//! Our topics are written without transactions and kept with `cleanup.policy=delete`, so that offsets have no holes
//! between the first kept one and the end.

mod commits;
mod committer;
mod delivery;
mod failure;
mod iam;
mod identity;
mod inspect;
mod lane;
mod logging;
mod member;
mod message;
mod options;
mod producer;
mod reader;
mod rebalance;
mod sender;
mod session;
mod settings;
mod shares;
mod standstill;
mod threads;
mod topics;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use async_trait::async_trait;
use rdkafka::{admin::AdminClient, config::FromClientConfigAndContext};
use tokio::sync::OnceCell;

use crate::{BatchLimits, Consumer, DOCTOR, EVENTS, Extent, Log, LogError, LoggedRecord, Position, Record, TOPICS};
pub use inspect::{FoundTopic, InspectedTopic, Inspection, Setting};
use logging::Quiet;
use member::Member;
pub use options::KafkaOptions;
use reader::{Readers, Wanted};
use sender::Sender;
use settings::ANSWER_WITHIN;
use standstill::{Asked, Unread};
use threads::{LEFT_WITHIN, Threads, aside};
use topics::Keep;

/// A log on a Kafka cluster. Clones are handles to the same connections.
///
/// Nothing is connected before the first call, and no call waits longer for the brokers than its own time: while
/// they are away calls are [`LogError::Unavailable`], and when they are back the same handle works again.
#[derive(Clone)]
pub struct KafkaLog {
    inner: Arc<Inner>,
}

struct Inner {
    options: KafkaOptions,
    sender: Sender,
    /// For questions and for making topics; made when the first is asked.
    admin: Mutex<Option<Arc<AdminClient<Quiet>>>>,
    readers: Arc<Readers>,
    members: Threads,
    log_id: OnceCell<String>,
}

impl std::fmt::Debug for KafkaLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaLog").field("brokers", &self.inner.options.brokers).finish_non_exhaustive()
    }
}

/// Runs what blocks where it may.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, LogError> + Send + 'static) -> Result<T, LogError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(LogError::Unavailable(format!("a call to Kafka was cut off: {error}"))))
}

impl KafkaLog {
    /// The log that `url` names; see [`KafkaOptions`]. Nothing is connected yet.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] that says what is wrong with the URL.
    pub fn open(url: &str) -> Result<Self, LogError> {
        Ok(Self::with(KafkaOptions::from_url(url)?))
    }

    /// The log that `options` names.
    pub fn with(options: KafkaOptions) -> Self {
        let sender = Sender::new(options.settings.producer(), options.settings.delivered_within());
        let inner = Inner {
            sender,
            admin: Mutex::new(None),
            readers: Arc::default(),
            members: Threads::default(),
            log_id: OnceCell::new(),
            options,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Makes the topics and the log's identity where they are missing; returns the identity. Any number of hosts may do
    /// so at once.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] if the brokers do not answer, refuse, or belong to another cluster than the log.
    pub async fn set_up(&self) -> Result<String, LogError> {
        let log_id = identity::ensure(self).await?;
        for (topic, partitions) in TOPICS {
            let asked = self.inner.options.partitions.filter(|_| topic == EVENTS);
            self.create_topic(topic, asked.unwrap_or(partitions)).await?;
        }
        self.create_topic(DOCTOR, 1).await?;
        Ok(log_id)
    }

    /// Begins a new epoch of the log and returns its identity: places of events get a new meaning, which is right after
    /// the topics were lost or the cluster was replaced. Running hosts keep the old one until they start again.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] if the brokers do not answer or refuse.
    pub async fn new_epoch(&self) -> Result<String, LogError> {
        identity::begin_epoch(self).await
    }

    /// Waits for what is on its way to be acknowledged, has every member leave its group, and ends all connections.
    /// Every later call, and every waiting consumer, gets [`LogError::Unavailable`]. Closing twice does nothing.
    pub async fn close(&self) {
        self.inner.members.end().await;
        self.inner.sender.close().await;
        let readers = Arc::clone(&self.inner.readers);
        let admin = self.inner.admin.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = aside(move || {
            readers.close();
            drop(admin);
        });
        if tokio::time::timeout(LEFT_WITHIN, ended).await.is_err() {
            tracing::warn!("not every connection was closed within {LEFT_WITHIN:?}");
        }
    }

    /// `HOST:PORT,…` of the brokers that are asked first.
    pub fn brokers(&self) -> &str {
        &self.inner.options.brokers
    }

    fn admin(&self) -> Result<Arc<AdminClient<Quiet>>, LogError> {
        if self.inner.members.ended() {
            return Err(failure::closed());
        }
        let mut admin = self.inner.admin.lock().unwrap_or_else(PoisonError::into_inner);
        let config = self.inner.options.settings.admin();
        if let Some(admin) = &*admin {
            iam::authorize(admin.inner(), &config)?;
            return Ok(Arc::clone(admin));
        }
        let made = AdminClient::from_config_and_context(&config, Quiet);
        let made = Arc::new(made.map_err(|e| LogError::Unavailable(format!("no client can be made: {e}")))?);
        iam::authorize(made.inner(), &config)?;
        *admin = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Kafka's id of the cluster.
    async fn cluster_id(&self) -> Result<String, LogError> {
        let (admin, brokers) = (self.admin()?, self.brokers().to_owned());
        blocking(move || {
            let id = admin.inner().fetch_cluster_id(ANSWER_WITHIN);
            id.ok_or_else(|| LogError::Unavailable(format!("no broker of {brokers} names its cluster within {ANSWER_WITHIN:?}")))
        })
        .await
    }

    async fn make_topic(&self, topic: &str, partitions: u32, keep: Keep) -> Result<(), LogError> {
        let full = self.inner.options.full(topic);
        topics::create(&self.admin()?, &full, partitions.max(1), self.inner.options.replication, keep).await?;
        self.inner.sender.refresh(&full).await
    }

    /// The full name of `topic` and what it holds in each partition.
    async fn held(&self, topic: &str) -> Result<(String, Vec<Extent>), LogError> {
        let (admin, full, name) = (self.admin()?, self.inner.options.full(topic), topic.to_owned());
        blocking(move || {
            let partitions = topics::partitions(admin.inner(), &full, &name)?;
            let extents = (0..partitions).map(|partition| topics::extent(admin.inner(), &full, &name, partition));
            Ok((full.clone(), extents.collect::<Result<_, _>>()?))
        })
        .await
    }

    /// The full name of `topic` and what `partition` of it holds.
    async fn held_by(&self, topic: &str, partition: u32) -> Result<(String, Extent), LogError> {
        let (admin, full, name) = (self.admin()?, self.inner.options.full(topic), topic.to_owned());
        blocking(move || {
            let partitions = topics::partitions(admin.inner(), &full, &name)?;
            if partition >= partitions {
                return Err(LogError::Unavailable(format!("topic {name} has {partitions} partitions, none of number {partition}")));
            }
            let extent = topics::extent(admin.inner(), &full, &name, partition)?;
            Ok((full, extent))
        })
        .await
    }
}

impl Drop for Inner {
    /// Ending librdkafka's clients blocks for a moment.
    fn drop(&mut self) {
        let readers = Arc::clone(&self.readers);
        let admin = self.admin.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(aside(move || {
            readers.close();
            drop(admin);
        }));
    }
}

/// What there is to read for a group, as long as the log is open.
struct OfGroup {
    log: Weak<Inner>,
    group: String,
}

#[async_trait]
impl Asked for OfGroup {
    async fn unread(&self, topic: &str) -> Result<Vec<Unread>, LogError> {
        let log = KafkaLog { inner: self.log.upgrade().ok_or_else(failure::closed)? };
        let committed: HashMap<_, _> = log.committed(&self.group, topic).await?.into_iter().collect();
        let unread = |extent: Extent| {
            let committed = committed.get(&extent.partition).copied().flatten();
            Unread { partition: extent.partition, begin: committed.unwrap_or(extent.start).max(extent.start), end: extent.end }
        };
        Ok(log.extents(topic).await?.into_iter().map(unread).collect())
    }
}

#[async_trait]
impl Log for KafkaLog {
    async fn log_id(&self) -> Result<String, LogError> {
        self.inner.log_id.get_or_try_init(|| identity::read(self)).await.cloned()
    }

    async fn create_topic(&self, topic: &str, partitions: u32) -> Result<(), LogError> {
        self.make_topic(topic, partitions, Keep::records_of(topic)).await
    }

    async fn append(&self, topic: &str, records: Vec<Record>) -> Result<Vec<Position>, LogError> {
        self.inner.sender.append(&self.inner.options.full(topic), topic, records).await
    }

    async fn read(
        &self,
        topic: &str,
        partition: u32,
        from: u64,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<Vec<LoggedRecord>, LogError> {
        let (full, extent) = self.held_by(topic, partition).await?;
        let from = from.max(extent.start);
        if from >= extent.end || max_records == 0 {
            return Ok(Vec::new());
        }
        let options = &self.inner.options;
        let (readers, config) = (Arc::clone(&self.inner.readers), options.settings.reader(&options.full("clickstream-reader")));
        let name = topic.to_owned();
        blocking(move || {
            let wanted = Wanted { topic: &full, partition, from, end: extent.end, max_records, max_bytes };
            readers.read(&config, &wanted, &name)
        })
        .await
    }

    async fn extents(&self, topic: &str) -> Result<Vec<Extent>, LogError> {
        Ok(self.held(topic).await?.1)
    }

    async fn committed(&self, group: &str, topic: &str) -> Result<Vec<(u32, Option<u64>)>, LogError> {
        let options = &self.inner.options;
        let (admin, readers, group) = (self.admin()?, Arc::clone(&self.inner.readers), options.full(group));
        let (full, name, config) = (options.full(topic), topic.to_owned(), options.settings.reader(&group));
        blocking(move || {
            let partitions = topics::partitions(admin.inner(), &full, &name)?;
            readers.committed(&config, &group, &full, &name, partitions)
        })
        .await
    }

    async fn subscribe(&self, group: &str, topics: &[&str], limits: BatchLimits) -> Result<Box<dyn Consumer>, LogError> {
        let (admin, options) = (self.admin()?, &self.inner.options);
        let mut named: Vec<(String, String)> = topics.iter().map(|topic| ((*topic).to_owned(), options.full(topic))).collect();
        named.sort_unstable();
        named.dedup();
        let named = blocking(move || {
            for (name, full) in &named {
                topics::partitions(admin.inner(), full, name)?;
            }
            Ok(named)
        })
        .await?;
        let limits = BatchLimits { max_records: limits.max_records.max(1), ..limits };
        let asked = Arc::new(OfGroup { log: Arc::downgrade(&self.inner), group: group.to_owned() });
        let group = options.full(group);
        let config = options.settings.member(&group);
        Ok(Box::new(Member::join(&self.inner.members, config, group, named, limits, asked, standstill::EVERY)?))
    }

    async fn expire(&self, topic: &str, partition: u32, offset: u64) -> Result<(), LogError> {
        let (full, extent) = self.held_by(topic, partition).await?;
        let below = offset.min(extent.end);
        if below <= extent.start {
            return Ok(());
        }
        topics::expire(&*self.admin()?, &full, topic, partition, below).await
    }
}
