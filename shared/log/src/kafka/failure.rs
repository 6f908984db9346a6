//! What librdkafka's errors are to a caller.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::LogError;

/// The error of every call on a log that was closed.
pub(super) fn closed() -> LogError {
    LogError::Unavailable("the log is closed".to_owned())
}

/// The error of a call that concerns `topic`, by the name that the caller gave it.
pub(super) fn of_topic(error: &KafkaError, topic: &str) -> LogError {
    match code(error) {
        Some(code) => of_code(code, topic),
        None => LogError::Unavailable(error.to_string()),
    }
}

/// As [`of_topic`].
pub(super) fn of_code(code: RDKafkaErrorCode, topic: &str) -> LogError {
    if is_unknown_topic(code) {
        return LogError::UnknownTopic(topic.to_owned());
    }
    if is_damage(code) {
        return LogError::Corrupt(format!("topic {topic}: {code}"));
    }
    LogError::Unavailable(match code {
        RDKafkaErrorCode::MessageTimedOut | RDKafkaErrorCode::TimedOutQueue => {
            format!("the brokers did not acknowledge records of topic {topic} in time")
        }
        RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight => return closed(),
        // The record is within our limit, so the topic's is too small: an operator's fault, not the record's.
        RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::MessageBatchTooLarge => {
            format!("topic {topic} does not take batches that Kafka takes by default; its max.message.bytes must be 1048588 or more")
        }
        RDKafkaErrorCode::NotEnoughReplicas | RDKafkaErrorCode::NotEnoughReplicasAfterAppend => {
            format!("topic {topic} has fewer copies in sync than its min.insync.replicas")
        }
        RDKafkaErrorCode::AllBrokersDown
        | RDKafkaErrorCode::BrokerTransportFailure
        | RDKafkaErrorCode::OperationTimedOut
        | RDKafkaErrorCode::Resolve => format!("no broker answers what is asked of topic {topic}: {code}"),
        RDKafkaErrorCode::TopicAuthorizationFailed => format!("Kafka does not allow us what we ask of topic {topic}"),
        code => format!("topic {topic}: {code}"),
    })
}

/// The code in `error`, if it has one.
pub(super) fn code(error: &KafkaError) -> Option<RDKafkaErrorCode> {
    match error {
        KafkaError::AdminOp(code)
        | KafkaError::ConsumerCommit(code)
        | KafkaError::Flush(code)
        | KafkaError::Global(code)
        | KafkaError::MessageConsumption(code)
        | KafkaError::MessageConsumptionFatal(code)
        | KafkaError::MessageProduction(code)
        | KafkaError::MetadataFetch(code)
        | KafkaError::OffsetFetch(code)
        | KafkaError::SetPartitionOffset(code) => Some(*code),
        _ => None,
    }
}

pub(super) fn is_unknown_topic(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{InvalidTopic, UnknownPartition, UnknownTopic, UnknownTopicOrPartition};
    matches!(code, UnknownTopic | UnknownTopicOrPartition | UnknownPartition | InvalidTopic)
}

/// The broker that was asked does not lead the partition, or does not yet.
pub(super) fn leads_elsewhere(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{FencedLeaderEpoch, LeaderNotAvailable, NotLeaderForPartition, ReplicaNotAvailable, UnknownLeaderEpoch};
    matches!(code, NotLeaderForPartition | LeaderNotAvailable | ReplicaNotAvailable | FencedLeaderEpoch | UnknownLeaderEpoch)
}

/// Bytes of the log are not what they were when they were written.
pub(super) fn is_damage(code: RDKafkaErrorCode) -> bool {
    matches!(code, RDKafkaErrorCode::BadCompression | RDKafkaErrorCode::BadMessage | RDKafkaErrorCode::InvalidMessage)
}

/// What a consumer is told in place of a batch that it cannot read: [damage](is_damage), or a format that librdkafka does
/// not know, which may be damage of the byte that names it.
pub(super) fn is_unreadable(code: RDKafkaErrorCode) -> bool {
    is_damage(code) || code == RDKafkaErrorCode::NotImplemented
}

/// Will pass, or ends in a rebalance that is told anyway: a commit is tried again.
pub(super) fn passes(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{
        AllBrokersDown, BrokerTransportFailure, CoordinatorLoadInProgress, CoordinatorNotAvailable, IllegalGeneration, NetworkException,
        NotCoordinator, OperationTimedOut, RebalanceInProgress, RequestTimedOut, UnknownMemberId, WaitingForCoordinator,
    };
    matches!(
        code,
        AllBrokersDown
            | BrokerTransportFailure
            | CoordinatorLoadInProgress
            | CoordinatorNotAvailable
            | IllegalGeneration
            | NetworkException
            | NotCoordinator
            | OperationTimedOut
            | RebalanceInProgress
            | RequestTimedOut
            | UnknownMemberId
            | WaitingForCoordinator
    )
}
