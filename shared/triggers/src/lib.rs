//! Functions as Lambda runs them: what triggers them, decoded in one place, and what every invocation has in common.
//!
//! [`Function`] takes invocations, each with its deadline, its span in the logs and its metrics. [`Records`] decodes Kafka's
//! records, [`Objects`] what the bucket announces, in each of the forms in which it comes.

mod announced;
mod answer;
mod deadline;
mod function;
mod http;
mod kafka;
mod objects;

pub use announced::{Announced, Unreadable, announced, notifications};
pub use answer::{Answer, Failures};
pub use aws_lambda_events::kafka::KafkaEvent;
pub use deadline::{Deadline, Stopped};
pub use function::Function;
pub use kafka::{Partition, Records, partitions};
pub use lambda_runtime::Error;
pub use objects::Objects;

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
    /// An announcement that is none.
    #[error(transparent)]
    Announcement(#[from] Unreadable),
    /// An object of another bucket; an operator must set the trigger right.
    #[error("{key} is in the bucket {bucket:?}, and this function has {ours:?}: set the trigger's bucket or OBJECTS_URL right")]
    Bucket {
        /// The bucket that was announced.
        bucket: String,
        /// The function's.
        ours: String,
        /// The object.
        key: String,
    },
    /// A variable of the environment that is missing.
    #[error("{name} is not set: {right}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// What would be right.
        right: &'static str,
    },
    /// A variable of the environment that is wrong.
    #[error("{name}={value:?} is wrong: {right}")]
    Wrong {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What would be right.
        right: &'static str,
    },
}

/// A variable that a function needs.
pub fn variable(name: &'static str, right: &'static str) -> Result<String, TriggerError> {
    given(name).ok_or(TriggerError::Variable { name, right })
}

/// A variable that a function may have.
fn given(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}
