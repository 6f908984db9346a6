//! What came of a day.

use std::collections::BTreeMap;

use clickstream_warehouse::Day;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A field of one event that has another value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedField {
    /// The event.
    pub event_id: Uuid,
    /// The field.
    pub field: String,
    /// What stood. Left out, like `new`, where the field tells more of a person than reports show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What stands instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

/// What came of one day, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayReport {
    /// The day (UTC) of the events' `original_at`.
    pub day: Day,
    /// Files of the lake that hold rows of it. Where nothing changes they stay.
    pub files: u64,
    /// Rows of the day, those of erased people left out.
    pub rows: u64,
    /// Of those that were asked for, rows computed from their raw copy.
    pub from_raw: u64,
    /// Of those that were asked for, rows computed from the lake's own, as raw/ holds them no longer.
    pub from_lake: u64,
    /// Rows of people who are erased, left out.
    pub erased: u64,
    /// Rows of which something has another value.
    pub changed: u64,
    /// Rows with another value, by field.
    pub fields: BTreeMap<String, u64>,
    /// Some of what changed: a few of each field.
    pub samples: Vec<ChangedField>,
    /// The lake's version that brought the day; none where nothing changed, and in a dry run.
    pub version: Option<u64>,
    /// The load by which ClickHouse shows that version; none where it is not settled yet.
    pub load_id: Option<Uuid>,
}
