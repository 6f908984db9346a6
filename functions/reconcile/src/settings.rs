//! What reconcile goes by.

use std::{borrow::Cow, time::Duration};

/// Times and limits.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
pub struct Groups {
    /// Of store, on the topic `events`.
    pub store: Cow<'static, str>,
    /// Of store, on the topic `rejected`: the same where one member reads both, another where each topic has a trigger.
    pub store_rejected: Cow<'static, str>,
    /// Of land.
    pub land: Cow<'static, str>,
    /// Of intake-topic.
    pub intake_topic: Cow<'static, str>,
}

impl Settings {
    /// As by default, and the group of rejected records is the one that `STORE_REJECTED_GROUP` names.
    pub fn from_env() -> Self {
        let mut settings = Self::default();
        if let Some(group) = std::env::var("STORE_REJECTED_GROUP").ok().filter(|group| !group.is_empty()) {
            settings.groups.store_rejected = group.into();
        }
        settings
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            grace: Duration::from_mins(2),
            retention: Duration::from_hours(7 * 24),
            rejected_retention: Duration::from_hours(30 * 24),
            samples: 16,
            groups: Groups {
                store: "store".into(),
                store_rejected: "store".into(),
                land: "land".into(),
                intake_topic: "intake-topic".into(),
            },
        }
    }
}
