//! What is played, and what came of it.

use clickstream_event::{Action, Event, Micros};
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
    /// Records of topic `events`, offsets `[from, to)` of one partition or of each, logged once more as they are: every
    /// step does them again, and each counts once.
    Topic {
        /// The partition; all if none.
        partition: Option<u32>,
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
    /// Only records of this site (a raw object is loaded whole).
    #[serde(default)]
    pub site: Option<String>,
    /// Only events of this action (as they are valid now; a raw object is loaded whole).
    #[serde(default)]
    pub action: Option<Action>,
    /// Only records received then or later (a raw object is loaded whole).
    #[serde(default)]
    pub received_from: Option<Micros>,
    /// Only records received before then (a raw object is loaded whole).
    #[serde(default)]
    pub received_to: Option<Micros>,
    /// Only say what would change.
    #[serde(default)]
    pub dry_run: bool,
}

impl ReplayRequest {
    /// Everything of `source`.
    pub fn new(source: ReplaySource) -> Self {
        Self { source, site: None, action: None, received_from: None, received_to: None, dry_run: false }
    }

    /// True if what was received then is asked for.
    pub(crate) fn covers(&self, received_at: Micros) -> bool {
        self.received_from.is_none_or(|from| received_at >= from) && self.received_to.is_none_or(|to| received_at < to)
    }

    /// True if `event` is asked for.
    pub(crate) fn wants(&self, event: &Event) -> bool {
        self.site.as_ref().is_none_or(|site| *site == event.site_id)
            && self.action.is_none_or(|action| action == event.action)
            && self.covers(event.received_at)
    }
}

/// One record that a replay would take or took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Its partition of the topic.
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
    /// Records of people who are erased, left out.
    #[serde(default)]
    pub erased: u64,
    /// Of those taken, events that ClickHouse has already: they change nothing.
    #[serde(default)]
    pub known: u64,
    /// The first records taken.
    pub samples: Vec<Sample>,
    /// The version of the rules that judged, which is that of this program.
    #[serde(default)]
    pub program: String,
    /// Names the object `replays/{id}.json` that keeps request and report; none of a dry run.
    #[serde(default)]
    pub replay_id: Option<Uuid>,
}
