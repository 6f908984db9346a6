//! Topics as the cluster knows them, and making them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication},
    client::Client,
    error::RDKafkaErrorCode,
    metadata::Metadata,
};

use super::{failure, logging::Quiet, options::is_topic_name, settings::ANSWER_WITHIN};
use crate::{DOCTOR, Extent, LogError, REJECTED};

/// Copies of a partition where nothing else is said and there are as many brokers.
const REPLICATION: i32 = 3;
/// A topic that was made is known to the brokers that are asked within this time.
const KNOWN_WITHIN: Duration = Duration::from_secs(10);
/// Between two questions whether it is.
const PAUSE: Duration = Duration::from_millis(25);

const DAY_MS: u64 = 86_400_000;

/// What a topic is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Records, for a time. What a group has not done by then is lost, so its lag has to be watched.
    For {
        /// `retention.ms`.
        ms: u64,
    },
    /// The newest record of each key, for ever.
    Newest,
}

impl Keep {
    /// Records of `topic` (the name without prefix).
    pub(super) fn records_of(topic: &str) -> Self {
        let days = match topic {
            REJECTED => 30,
            DOCTOR => 1,
            _ => 7,
        };
        Self::For { ms: days * DAY_MS }
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(ANSWER_WITHIN)).operation_timeout(Some(ANSWER_WITHIN))
}

/// What the cluster says of `topic`, which the caller calls `name`; blocks.
pub(super) fn describe<C: ClientContext>(client: &Client<C>, topic: &str, name: &str) -> Result<Metadata, LogError> {
    if !is_topic_name(topic) {
        return Err(LogError::UnknownTopic(name.to_owned()));
    }
    let metadata = client.fetch_metadata(Some(topic), ANSWER_WITHIN).map_err(|error| failure::of_topic(&error, name))?;
    match metadata.topics().first().map(|found| found.error().map(RDKafkaErrorCode::from)) {
        Some(None | Some(RDKafkaErrorCode::LeaderNotAvailable)) => Ok(metadata),
        Some(Some(code)) => Err(failure::of_code(code, name)),
        None => Err(LogError::UnknownTopic(name.to_owned())),
    }
}

/// How many partitions `topic` has, which the caller calls `name`; blocks.
pub(super) fn partitions<C: ClientContext>(client: &Client<C>, topic: &str, name: &str) -> Result<u32, LogError> {
    let metadata = describe(client, topic, name)?;
    Ok(metadata.topics().first().map_or(0, |topic| topic.partitions().len()) as u32)
}

/// What a partition holds; blocks. The end is the high watermark: what all replicas in sync have.
pub(super) fn extent<C: ClientContext>(client: &Client<C>, topic: &str, name: &str, partition: u32) -> Result<Extent, LogError> {
    let until = Instant::now() + ANSWER_WITHIN;
    loop {
        match client.fetch_watermarks(topic, partition as i32, ANSWER_WITHIN) {
            Ok((start, end)) => return Ok(Extent { partition, start: start.max(0) as u64, end: end.max(0) as u64 }),
            // A leader that has just changed answers soon.
            Err(error) if failure::code(&error).is_some_and(failure::leads_elsewhere) && Instant::now() < until => {
                std::thread::sleep(PAUSE);
            }
            Err(error) => return Err(failure::of_topic(&error, name)),
        }
    }
}

/// Makes `topic` with `partitions`, or raises their number; `replication` copies each.
pub(super) async fn create(
    admin: &Arc<AdminClient<Quiet>>,
    topic: &str,
    partitions: u32,
    replication: Option<i32>,
    keep: Keep,
) -> Result<(), LogError> {
    if !is_topic_name(topic) {
        return Err(LogError::Unavailable(format!("{topic:?} is no name of a topic: letters, digits, '.', '_' and '-', at most 249")));
    }
    let has = |topic: String| {
        let admin = Arc::clone(admin);
        super::blocking(move || match self::partitions(admin.inner(), &topic, &topic) {
            Err(LogError::UnknownTopic(_)) => Ok(None),
            found => found.map(Some),
        })
    };
    let made = match has(topic.to_owned()).await? {
        Some(count) if count >= partitions => return Ok(()),
        Some(_) => admin.create_partitions([&NewPartitions::new(topic, partitions as usize)], &options()).await,
        None => {
            let replication = match replication {
                Some(replication) => replication,
                None => copies(admin, topic).await?,
            };
            let settings = settings(keep, replication);
            let mut new = NewTopic::new(topic, partitions as i32, TopicReplication::Fixed(replication));
            new.config = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
            admin.create_topics([&new], &options()).await
        }
    };
    match made.map_err(|error| failure::of_topic(&error, topic))?.into_iter().next() {
        // Another host was first.
        None | Some(Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists | RDKafkaErrorCode::InvalidPartitions))) => {}
        Some(Err((_, RDKafkaErrorCode::InvalidReplicationFactor))) => {
            return Err(LogError::Unavailable(format!(
                "topic {topic} cannot be made: fewer brokers than copies; set the option replication in LOG_URL"
            )));
        }
        Some(Err((_, code))) => return Err(LogError::Unavailable(format!("topic {topic} cannot be made: {code}"))),
    }
    // Brokers learn of it one after the other, and of a partition's leader after the partition.
    let until = Instant::now() + KNOWN_WITHIN;
    while !answers(admin, topic, partitions).await? {
        if Instant::now() > until {
            return Err(LogError::Unavailable(format!(
                "topic {topic} was made but has not got {partitions} partitions within {KNOWN_WITHIN:?}"
            )));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// How many copies a new topic gets where nobody says it.
async fn copies(admin: &Arc<AdminClient<Quiet>>, topic: &str) -> Result<i32, LogError> {
    let brokers = brokers(admin).await?;
    if brokers < REPLICATION {
        tracing::warn!(
            topic,
            brokers,
            "the topic is made with fewer than {REPLICATION} copies, since so few brokers answer; where there will be more, say in \
             LOG_URL how many copies there are to be: replication={REPLICATION}"
        );
    }
    Ok(brokers.min(REPLICATION))
}

/// True if each of `partitions` of `topic` has a leader that knows it.
async fn answers(admin: &Arc<AdminClient<Quiet>>, topic: &str, partitions: u32) -> Result<bool, LogError> {
    let (admin, topic) = (Arc::clone(admin), topic.to_owned());
    super::blocking(move || {
        let client = admin.inner();
        let all = (0..partitions).map(|partition| extent(client, &topic, &topic, partition)).collect::<Result<Vec<_>, _>>();
        match all.and_then(|_| self::partitions(client, &topic, &topic)) {
            Ok(count) => Ok(count >= partitions),
            Err(LogError::UnknownTopic(_)) => Ok(false),
            Err(error) => Err(error),
        }
    })
    .await
}

/// Settings of a new topic (Kafka's topic configuration); what is not here is the cluster's default.
pub(super) fn settings(keep: Keep, replication: i32) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("message.timestamp.type", "LogAppendTime".to_owned()),
        // A broker's default, said here so that a cluster's smaller one does not refuse records within our limit.
        ("max.message.bytes", "1048588".to_owned()),
        // As the producer compressed it.
        ("compression.type", "producer".to_owned()),
        ("min.insync.replicas", if replication >= 3 { "2" } else { "1" }.to_owned()),
        // Out of sync means out of the election: availability never costs acknowledged records.
        ("unclean.leader.election.enable", "false".to_owned()),
    ];
    match keep {
        Keep::For { ms } => settings.extend([("cleanup.policy", "delete".to_owned()), ("retention.ms", ms.to_string())]),
        Keep::Newest => settings.push(("cleanup.policy", "compact".to_owned())),
    }
    settings
}

async fn brokers(admin: &Arc<AdminClient<Quiet>>) -> Result<i32, LogError> {
    let admin = Arc::clone(admin);
    super::blocking(move || {
        let metadata = admin.inner().fetch_metadata(None, ANSWER_WITHIN);
        metadata.map(|m| m.brokers().len() as i32).map_err(|e| LogError::Unavailable(format!("the brokers cannot be counted: {e}")))
    })
    .await
}

/// Forgets records below `offset` (`DeleteRecords`, KIP-107), which must not lie past the end.
pub(super) async fn expire(admin: &AdminClient<Quiet>, topic: &str, name: &str, partition: u32, offset: u64) -> Result<(), LogError> {
    let failed = |error| failure::of_topic(&error, name);
    let done = {
        let mut below = TopicPartitionList::with_capacity(1);
        below.add_partition_offset(topic, partition as i32, Offset::Offset(offset as i64)).map_err(failed)?;
        admin.delete_records(&below, &options())
    };
    let done = done.await.map_err(failed)?;
    done.elements().first().map_or(Ok(()), rdkafka::topic_partition_list::TopicPartitionListElem::error).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_made_to_keep_what_was_acknowledged_and_only_for_their_time() {
        let of = |keep, replication| -> std::collections::BTreeMap<_, _> { settings(keep, replication).into_iter().collect() };
        let events = of(Keep::records_of(crate::EVENTS), 3);
        assert_eq!((events["retention.ms"].as_str(), events["cleanup.policy"].as_str()), ("604800000", "delete"));
        assert_eq!((events["min.insync.replicas"].as_str(), events["message.timestamp.type"].as_str()), ("2", "LogAppendTime"));
        assert_eq!(of(Keep::records_of(REJECTED), 1)["retention.ms"], "2592000000");
        let identity = of(Keep::Newest, 1);
        assert_eq!((identity["cleanup.policy"].as_str(), identity["min.insync.replicas"].as_str()), ("compact", "1"));
        assert!(!identity.contains_key("retention.ms"));
    }
}
