//! The shapes in which events arrive, decoded into one form.

mod body;
mod depth;
mod row;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use body::{Body, MAX_EVENT_BYTES, parse_body, parse_record};
pub use depth::MAX_DEPTH;
pub use row::{RowHeader, RowHeaderError};

/// True for JSON that is nested deeper than an event may be.
pub(crate) fn is_too_deep(json: &str) -> bool {
    depth::deeper_than(json.as_bytes(), MAX_DEPTH)
}

/// How the sender spells its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Segment's `/v1/track` and kin; `type` is in the body or implied by the path.
    Segment,
    /// Our own `snake_case` names.
    Canonical,
    /// The CSV header `id,type,createdAt,…,payload.metadata`, and the same as JSON.
    Clicks,
}

impl Shape {
    /// The shape that the names of `fields` give away, if any.
    pub fn detect(fields: &Map<String, Value>) -> Option<Self> {
        let has = |name: &str| fields.contains_key(name);
        if has("event_id") || has("action") || has("site_id") {
            Some(Self::Canonical)
        } else if has("createdAt") || has("payload") || fields.keys().any(|k| k.starts_with("payload.")) {
            Some(Self::Clicks)
        } else if has("messageId") || has("anonymousId") || has("event") {
            Some(Self::Segment)
        } else {
            None
        }
    }
}

/// One event as it was sent, before validation.
#[derive(Clone, Debug)]
pub struct RawEvent {
    /// How `fields` is spelt.
    pub shape: Shape,
    /// What was sent; nested objects as sent (`payload` for [`Shape::Clicks`]).
    pub fields: Map<String, Value>,
    /// What was sent, as text; none for a row of a table, which is told by `fields`.
    pub text: Option<Box<str>>,
}

impl RawEvent {
    /// The original as text, for a rejection and its replay.
    pub fn original(&self) -> String {
        match &self.text {
            Some(text) => text.to_string(),
            None => serde_json::to_string(&self.fields).unwrap_or_default(),
        }
    }
}

/// A body or record that cannot be taken apart into events.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BodyError {
    /// Not UTF-8.
    #[error("the body is not UTF-8: byte {0} is wrong")]
    NotUtf8(usize),
    /// Not JSON.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// Nested too deep.
    #[error("the body is nested deeper than {0}")]
    TooDeep(usize),
    /// JSON of a wrong shape.
    #[error("{0}")]
    WrongShape(String),
    /// Too many events.
    #[error("{0} events are more than the {1} that one request may hold")]
    TooMany(usize, usize),
}
