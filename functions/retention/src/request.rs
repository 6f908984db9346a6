//! What is asked for, and what went.

use serde::{Deserialize, Serialize};

use crate::RetentionError;

/// A run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionRequest {
    /// Only say what would go.
    pub dry_run: bool,
}

/// What a rule did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The rule, such as `raw objects`.
    pub rule: String,
    /// How long it keeps what it is about, such as `30 days`.
    pub kept: String,
    /// How many went, or would; none where the store does not say.
    pub removed: Option<u64>,
    /// Of what.
    pub unit: String,
    /// What else is to be known, such as what it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// True if time ran out before all was done: the next run goes on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// What a run did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionReport {
    /// Nothing was changed.
    pub dry_run: bool,
    /// Rule by rule.
    pub rules: Vec<Applied>,
    /// Rules that could not be applied, and why; the next run does them.
    pub failed: Vec<String>,
}

impl Applied {
    /// A rule that has not removed anything yet.
    pub(crate) fn new(rule: impl Into<String>, kept: impl Into<String>, unit: &str) -> Self {
        Self { rule: rule.into(), kept: kept.into(), removed: Some(0), unit: unit.to_owned(), ..Self::default() }
    }

    /// A rule that keeps for some days.
    pub(crate) fn of_days(rule: impl Into<String>, days: u32, unit: &str) -> Self {
        Self::new(rule, format!("{days} days"), unit)
    }

    /// Counts what went.
    pub(crate) fn add(&mut self, removed: u64) {
        *self.removed.get_or_insert(0) += removed;
    }

    /// The same with a remark.
    pub(crate) fn noting(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }
}

impl RetentionReport {
    /// The report, if every rule was applied.
    ///
    /// # Errors
    /// [`RetentionError::Rules`] names those that were not.
    pub fn whole(self) -> Result<Self, RetentionError> {
        if self.failed.is_empty() { Ok(self) } else { Err(RetentionError::Rules(self.failed)) }
    }
}
