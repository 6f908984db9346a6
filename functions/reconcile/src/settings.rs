//! What reconcile goes by.

use std::time::Duration;

/// Times and limits.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// A raw object younger than this may still be announced.
    pub grace: Duration,
    /// How long the topics `events` and `inbound` keep records.
    pub retention: Duration,
    /// How long the topic `rejected` does.
    pub rejected_retention: Duration,
    /// Records of a partition that are looked for in the event store.
    pub samples: u64,
    /// The names of the consumer groups of store, land and intake-topic.
    pub groups: Groups,
}

/// Names of consumer groups.
#[derive(Clone, Copy, Debug)]
pub struct Groups {
    /// Of store.
    pub store: &'static str,
    /// Of land.
    pub land: &'static str,
    /// Of intake-topic.
    pub intake_topic: &'static str,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            grace: Duration::from_mins(2),
            retention: Duration::from_hours(7 * 24),
            rejected_retention: Duration::from_hours(30 * 24),
            samples: 16,
            groups: Groups { store: "store", land: "land", intake_topic: "intake-topic" },
        }
    }
}
