//! The canonical event: one set of names in topics, files, tables and docs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Micros, Properties};

/// The version of the event's fields, in topics, raw objects, the lake and tables alike: one more with each field that is
/// added. No field ever goes or changes its meaning.
pub const EVENT_SCHEMA: u32 = 1;

/// What a person did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// An element was visible.
    View,
    /// An element was clicked.
    Click,
    /// A page or screen was shown.
    Page,
    /// A person was named.
    Identify,
    /// Anything else, told apart by `name`.
    Custom,
}

/// The kind of device that sent the event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum DeviceType {
    Desktop,
    Mobile,
    Tablet,
    Bot,
    #[default]
    Unknown,
}

/// The way by which the event came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Source {
    Http,
    Topic,
    File,
}

/// What validation says of a kept event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing to remark.
    Valid,
    /// Kept, with `warnings`.
    Suspicious,
}

macro_rules! names {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            /// The name used in JSON, files and tables.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
            /// The value that [`Self::as_str`] names.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
names!(Action { View = "view", Click = "click", Page = "page", Identify = "identify", Custom = "custom" });
names!(DeviceType { Desktop = "desktop", Mobile = "mobile", Tablet = "tablet", Bot = "bot", Unknown = "unknown" });
names!(Source { Http = "http", Topic = "topic", File = "file" });
names!(Verdict { Valid = "valid", Suspicious = "suspicious" });

/// One event that passed validation. Absent optional fields are left out of the JSON.
///
/// Identity is `(site_id, event_id)`. Lengths are bounded by validation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Unique within a site; a client's id that is no UUID becomes `UUIDv5` of site and id.
    pub event_id: Uuid,
    /// The site it belongs to.
    pub site_id: String,
    /// What a person did.
    pub action: Action,
    /// The event's own name; for `custom` what tells it apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The client's timestamp exactly as sent, `received_at` where it sent none. No resend changes it.
    pub original_at: Micros,
    /// When it happened, clock skew corrected.
    pub occurred_at: Micros,
    /// When the client sent it, by the client's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Micros>,
    /// When the service took it.
    pub received_at: Micros,
    /// The client's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The client's id of a person not named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<String>,
    /// The site's id of a named person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The page's address, scrubbed of fragment and of query parameters not allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The path of `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The page that led here, scrubbed like `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// The page's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_title: Option<String>,
    /// Campaign source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utm_source: Option<String>,
    /// Campaign medium.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utm_medium: Option<String>,
    /// Campaign name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utm_campaign: Option<String>,
    /// Campaign term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utm_term: Option<String>,
    /// Campaign content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utm_content: Option<String>,
    /// The element seen or clicked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element_id: Option<String>,
    /// Its kind: button, link, block …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element_kind: Option<String>,
    /// Its visible text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element_text: Option<String>,
    /// Its CSS classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element_class: Option<String>,
    /// CSS pixels from the page's left edge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<i32>,
    /// CSS pixels from the page's top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<i32>,
    /// The element's place in its list, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i32>,
    /// How long the element was visible, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible_ms: Option<i64>,
    /// CSS pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewport_width: Option<i32>,
    /// CSS pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewport_height: Option<i32>,
    /// CSS pixels scrolled from the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scroll_position: Option<i32>,
    /// Kind of device.
    #[serde(default)]
    pub device_type: DeviceType,
    /// Operating system family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// Browser family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// True where a machine, not a person, acted.
    #[serde(default)]
    pub bot: bool,
    /// Why `bot` is true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bot_reasons: Vec<String>,
    /// The address cut to /24 or /48, or absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The user agent as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// BCP 47 language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The client library, `name/version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// The way it came in.
    pub source: Source,
    /// What validation said.
    pub verdict: Verdict,
    /// Machine-readable codes ([`crate::ReasonCode`]) of what was remarked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Everything else the client sent.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
}

impl Event {
    /// Who acted: `user_id`, else `anonymous_id`, else `session_id`.
    pub fn person(&self) -> Option<&str> {
        self.user_id.as_deref().or(self.anonymous_id.as_deref()).or(self.session_id.as_deref())
    }

    /// The record key on the topic `events`: repeats of an event always meet in one partition.
    pub fn record_key(&self) -> String {
        format!("{}:{}", self.site_id, self.event_id)
    }

    /// True if the client gave no time, so that `original_at` is `received_at`.
    pub fn time_was_assigned(&self) -> bool {
        self.warnings.iter().any(|w| w == crate::ReasonCode::TimeAssigned.as_str())
    }
}

/// An event with its place in the log: `(log_id, partition, offset)` is its place for ever.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Logged {
    /// The partition of topic `events`.
    pub log_partition: u32,
    /// The offset within the partition.
    pub log_offset: u64,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}
