//! What an operator should know of a cluster and of our topics on it.

use rdkafka::{
    admin::{AdminOptions, ConfigResource, ResourceSpecifier},
    error::RDKafkaErrorCode,
    metadata::MetadataTopic,
};

use super::{
    KafkaLog, failure, identity,
    settings::ANSWER_WITHIN,
    topics::{self, Keep},
};
use crate::{DOCTOR, EVENTS, Log as _, LogError, TOPICS};

/// What brokers before 4.0 say of their version; later ones have no setting that names it.
const VERSION: &str = "inter.broker.protocol.version";

/// What [`KafkaLog::inspect`] found.
#[derive(Debug)]
pub struct Inspection {
    /// Kafka's id of the cluster.
    pub cluster_id: String,
    /// How many brokers there are.
    pub brokers: usize,
    /// The version that the brokers speak to each other; none where they do not tell, as from 4.0 on.
    pub version: Option<String>,
    /// The identity of the log, or why there is none.
    pub log_id: Result<String, LogError>,
    /// Our topics, in the order in which they are made.
    pub topics: Vec<InspectedTopic>,
}

/// One of our topics.
#[derive(Debug)]
pub struct InspectedTopic {
    /// Its name on the cluster.
    pub name: String,
    /// How many partitions it is made with.
    pub wanted_partitions: u32,
    /// What it is; [`LogError::UnknownTopic`] where it was not made.
    pub found: Result<FoundTopic, LogError>,
}

/// A topic that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundTopic {
    /// Its partitions.
    pub partitions: u32,
    /// Fewest copies of a partition.
    pub copies: u32,
    /// Partitions that have no leader: nothing is written to them or read.
    pub leaderless: u32,
    /// Partitions of which a copy is behind.
    pub behind: u32,
    /// Its settings, as far as records depend on them.
    pub settings: Vec<Setting>,
}

/// A setting of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What a topic is made with.
    pub wanted: String,
    /// What it is; none where the broker does not say it.
    pub found: Option<String>,
}

impl KafkaLog {
    /// Asks the cluster what it is and how our topics stand, and that of `more` (names without prefix, one partition each).
    ///
    /// # Errors
    /// [`LogError::Unavailable`] if the brokers do not answer.
    pub async fn inspect(&self, more: &[&str]) -> Result<Inspection, LogError> {
        let cluster_id = self.cluster_id().await?;
        let brokers = self.broker_ids().await?;
        let version = match brokers.first() {
            Some(first) => self.version(*first).await?,
            None => None,
        };
        let asked = self.inner.options.partitions;
        let wanted = |(topic, partitions): (&'static str, u32)| (topic, asked.filter(|_| topic == EVENTS).unwrap_or(partitions));
        let ours = TOPICS.into_iter().map(wanted).map(|(topic, partitions)| (topic, partitions, Keep::records_of(topic)));
        let own = [(identity::TOPIC, 1, Keep::Newest), (DOCTOR, 1, Keep::records_of(DOCTOR))];
        let mut topics = Vec::new();
        for (topic, partitions, keep) in ours.chain(own) {
            topics.push(self.inspect_topic(topic, partitions, keep).await);
        }
        for topic in more {
            let mut of_others = self.inspect_topic(topic, 1, Keep::records_of(topic)).await;
            // Who writes to it may date its records.
            if let Ok(found) = &mut of_others.found {
                found.settings.retain(|setting| setting.name != "message.timestamp.type");
            }
            topics.push(of_others);
        }
        Ok(Inspection { cluster_id, brokers: brokers.len(), version, log_id: self.log_id().await, topics })
    }

    async fn broker_ids(&self) -> Result<Vec<i32>, LogError> {
        let admin = self.admin()?;
        super::blocking(move || {
            let metadata = admin.inner().fetch_metadata(None, ANSWER_WITHIN);
            let ids = metadata.map(|m| m.brokers().iter().map(rdkafka::metadata::MetadataBroker::id).collect());
            ids.map_err(|e| LogError::Unavailable(format!("the brokers cannot be counted: {e}")))
        })
        .await
    }

    async fn version(&self, broker: i32) -> Result<Option<String>, LogError> {
        let settings = self.settings_of(&ResourceSpecifier::Broker(broker), "").await?;
        Ok(settings.get(VERSION).and_then(|entry| entry.value.clone()))
    }

    async fn inspect_topic(&self, topic: &str, wanted_partitions: u32, keep: Keep) -> InspectedTopic {
        let name = self.inner.options.full(topic);
        InspectedTopic { found: self.find_topic(topic, &name, keep).await, name, wanted_partitions }
    }

    async fn find_topic(&self, topic: &str, full: &str, keep: Keep) -> Result<FoundTopic, LogError> {
        let (admin, name, asked) = (self.admin()?, topic.to_owned(), full.to_owned());
        let mut found = super::blocking(move || {
            let metadata = topics::describe(admin.inner(), &asked, &name)?;
            metadata.topics().first().map(stands).ok_or(LogError::UnknownTopic(name))
        })
        .await?;
        let told = self.settings_of(&ResourceSpecifier::Topic(full), topic).await?;
        let setting = |(name, wanted)| Setting { name, wanted, found: told.get(name).and_then(|entry| entry.value.clone()) };
        // What is kept by time must not end by size.
        let by_size = matches!(keep, Keep::For { .. }).then(|| ("retention.bytes", "-1".to_owned()));
        found.settings = topics::settings(keep, found.copies as i32).into_iter().chain(by_size).map(setting).collect();
        Ok(found)
    }

    async fn settings_of(&self, of: &ResourceSpecifier<'_>, topic: &str) -> Result<ConfigResource, LogError> {
        let admin = self.admin()?;
        let told = admin.describe_configs([of], &AdminOptions::new().request_timeout(Some(ANSWER_WITHIN)));
        let told = told.await.map_err(|error| failure::of_topic(&error, topic))?.pop();
        told.unwrap_or(Err(RDKafkaErrorCode::Unknown)).map_err(|code| failure::of_code(code, topic))
    }
}

/// How a topic stands, without its settings.
fn stands(topic: &MetadataTopic) -> FoundTopic {
    let partitions = topic.partitions();
    FoundTopic {
        partitions: partitions.len() as u32,
        copies: partitions.iter().map(|p| p.replicas().len()).min().unwrap_or(0) as u32,
        leaderless: partitions.iter().filter(|p| p.leader() < 0).count() as u32,
        behind: partitions.iter().filter(|p| p.isr().len() < p.replicas().len()).count() as u32,
        settings: Vec::new(),
    }
}
