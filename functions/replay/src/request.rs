//! What is played, and what came of it.

use clickstream_event::{Action, AgentSays, Event, Micros};
use clickstream_warehouse::Day;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use uuid::Uuid;

use crate::DayReport;

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
    /// Days of the lake, by the UTC day of `original_at`: what is derived of each event is derived anew by the rules of this
    /// version, from its raw copy where there still is one.
    Days {
        /// The first day.
        #[serde(deserialize_with = "day")]
        from_day: Day,
        /// The last day.
        #[serde(deserialize_with = "day")]
        to_day: Day,
    },
}

/// Reads a day; another text is told what would be right.
fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom(format!("{text:?} is no day: wanted one such as 2026-11-24")))
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
    /// Of days: what goes where a user agent tells another device, system or browser than an event has. As a rule
    /// (`fills`) the event's own, as its sender may have declared it; with `rules`, the user agent's.
    #[serde(default)]
    pub user_agent: AgentSays,
    /// Only say what would change.
    #[serde(default)]
    pub dry_run: bool,
}

impl ReplayRequest {
    /// Everything of `source`.
    pub fn new(source: ReplaySource) -> Self {
        Self { source, site: None, action: None, received_from: None, received_to: None, user_agent: AgentSays::Fills, dry_run: false }
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

/// A version of something before a replay and after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions<T> {
    /// Before; none where it is not said.
    pub before: Option<T>,
    /// After.
    pub after: Option<T>,
}

/// By what a replay of days was computed, and what it came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayVersions {
    /// The program that wrote the lake's newest version, and this one.
    pub program: Versions<String>,
    /// The fields of an event that it knew (`EVENT_SCHEMA`), and that this one does.
    pub schema: Versions<u32>,
    /// The newest migration of ClickHouse's tables.
    pub clickhouse: Versions<u32>,
    /// The lake's version.
    pub lake: Versions<u64>,
}

/// What came of a replay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayReport {
    /// Nothing was changed.
    pub dry_run: bool,
    /// Records, objects or rows looked at.
    pub read: u64,
    /// Records that are valid now and were logged, objects that were loaded, or rows that have another value (would be, in
    /// a dry run).
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
    /// Days that were computed anew, or looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<DayReport>,
    /// The day to go on with, as time ran out: ask again from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_day: Option<Day>,
    /// Of days: the versions before and after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<ReplayVersions>,
}
