//! What triggers functions on Lambda, decoded in one place: Kafka records and bucket notifications.

mod kafka;
mod s3;

pub use kafka::batches;
pub use s3::notifications;

/// A trigger's event that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// A record whose partition, offset or bytes cannot be read.
    #[error("a record of topic {topic} has no usable {what}")]
    Record {
        /// The topic.
        topic: String,
        /// What is missing or wrong.
        what: &'static str,
    },
    /// A variable of the environment that is missing.
    #[error("{name} is not set: {right}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// What would be right.
        right: &'static str,
    },
}

/// A variable that a function needs.
pub fn variable(name: &'static str, right: &'static str) -> Result<String, TriggerError> {
    std::env::var(name).ok().filter(|v| !v.is_empty()).ok_or(TriggerError::Variable { name, right })
}
