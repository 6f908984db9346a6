//! What is played, and what came of it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ReplaySource {
    /// Records of topic `rejected`, offsets `[from, to)` of each partition.
    Rejected {
        /// First offset; the first kept one if none.
        from: Option<u64>,
        /// Offset to stop before; the end if none.
        to: Option<u64>,
    },
    /// Raw objects that hold some of the offsets `[from, to)`, of one partition or of each. What is settled in
    /// ClickHouse already is left out.
    Raw {
        /// The partition; all if none.
        partition: Option<u32>,
        /// First offset; all from the beginning if none.
        from: Option<u64>,
        /// Offset to stop before; the end if none.
        to: Option<u64>,
    },
}

/// A replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// What is played.
    pub source: ReplaySource,
    /// Only records of this site (rejected records alone; a raw object is loaded whole).
    #[serde(default)]
    pub site: Option<String>,
    /// Only say what would change.
    #[serde(default)]
    pub dry_run: bool,
}

/// One record that a replay would take or took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Its partition of topic `rejected`.
    pub partition: u32,
    /// Its offset.
    pub offset: u64,
    /// The id under which it is taken.
    pub event_id: Uuid,
}

/// What came of a replay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayReport {
    /// Nothing was changed.
    pub dry_run: bool,
    /// Records or objects looked at.
    pub read: u64,
    /// Records that are valid now and were logged, or objects that were loaded (would be, in a dry run).
    pub taken: u64,
    /// Records that are rejected still, by their first reason (`undecodable`: no rejection at all).
    pub still_rejected: std::collections::BTreeMap<String, u64>,
    /// The first records taken.
    pub samples: Vec<Sample>,
}
