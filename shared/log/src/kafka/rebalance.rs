//! What a member's thread is told: partitions that come and go, commits that are answered.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use rdkafka::{
    ClientContext, TopicPartitionList,
    client::OAuthToken,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    types::RDKafkaRespErr,
};

use super::{iam, logging, shares::Key};

/// One thing that was told.
pub(super) enum Told {
    /// These partitions are to be taken up.
    Assigned(TopicPartitionList),
    /// These partitions are to be given up.
    Revoked(TopicPartitionList),
    /// A commit of one partition was answered.
    Committed { key: Key, next_offset: u64, outcome: Result<(), RDKafkaErrorCode> },
}

/// Keeps what is told until the member's thread acts on it. librdkafka waits for the answer to a rebalance, so that the
/// thread may first finish what it has in hand.
#[derive(Default)]
pub(super) struct Telling {
    told: Mutex<Vec<Told>>,
    /// Everything librdkafka has told, log lines too: polling goes on until nothing comes.
    count: AtomicU64,
    /// Nobody acts on it any more.
    closing: AtomicBool,
}

impl Telling {
    pub(super) fn take(&self) -> Vec<Told> {
        std::mem::take(&mut *self.told())
    }

    pub(super) fn tell(&self, told: Told) {
        self.told().push(told);
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// From now on rebalances are answered at once: the consumer is being closed.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    fn told(&self) -> MutexGuard<'_, Vec<Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counted(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }
}

impl ClientContext for Telling {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.counted();
        logging::line(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.counted();
        logging::error(&error, reason);
    }

    fn generate_oauth_token(&self, region: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.counted();
        iam::token(region)
    }
}

impl ConsumerContext for Telling {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, what: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        self.counted();
        let assigned = what == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if !self.closing.load(Ordering::Relaxed) {
            let partitions = partitions.clone();
            self.told().push(if assigned { Told::Assigned(partitions) } else { Told::Revoked(partitions) });
        } else if let Err(error) = give_up(consumer, partitions) {
            tracing::debug!(%error, "partitions could not be given up while closing");
        }
    }
}

/// Answers a rebalance: these partitions are given up.
pub(super) fn give_up(consumer: &BaseConsumer<Telling>, partitions: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(partitions),
        RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.unassign(),
    }
}

/// Answers a rebalance: these partitions are taken up.
pub(super) fn take_up(consumer: &BaseConsumer<Telling>, partitions: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_assign(partitions),
        RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.assign(partitions),
    }
}
