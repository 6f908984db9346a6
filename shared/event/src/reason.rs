//! Why an event was rejected or kept with a warning.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Micros, Source};

macro_rules! reason_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal),+ $(,)?) => {
        /// Machine-readable reasons. The codes never change their meaning; docs/api lists them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum ReasonCode {
            $($(#[$doc])* $variant),+
        }
        impl ReasonCode {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The code as it stands in answers, receipts and `warnings`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }
    };
}

reason_codes! {
    // Rejections.
    /// The event has no usable id (topics and files).
    IdMissing = "id_missing",
    /// The action is none of view, click, page, identify, custom.
    ActionUnknown = "action_unknown",
    /// The event names no site, or one that its key may not write to.
    SiteMissing = "site_missing",
    /// A view or a click names no element.
    ElementMissing = "element_missing",
    /// Neither user, anonymous id nor session.
    IdentityMissing = "identity_missing",
    /// The time cannot be read.
    TimeInvalid = "time_invalid",
    /// The time is more than 24 h ahead.
    TimeInFuture = "time_in_future",
    /// The event is older than the site takes.
    TooOld = "too_old",
    /// The event is over 32 KB.
    TooLarge = "too_large",
    /// The event is nested deeper than 32.
    TooDeep = "too_deep",
    /// The event is no JSON object, or its line cannot be decoded.
    Malformed = "malformed",
    /// The properties violate the schema that the site has for such an event: rejected or a warning, as the site says.
    SchemaViolated = "schema_violated",
    // Warnings.
    /// The client sent no id; the server made one.
    IdAssigned = "id_assigned",
    /// The client sent no time; `received_at` was taken.
    TimeAssigned = "time_assigned",
    /// The client's clock differs from ours by more than the limit.
    ClockSkew = "clock_skew",
    /// An optional field has a bad type or value and was left out.
    FieldInvalid = "field_invalid",
    /// A field that this action should have is missing.
    FieldMissing = "field_missing",
    /// A string was longer than its limit and was cut.
    FieldTruncated = "field_truncated",
    /// The address is private or reserved.
    IpPrivate = "ip_private",
    /// The address cannot be read.
    IpInvalid = "ip_invalid",
    /// The device cannot be told.
    DeviceUnknown = "device_unknown",
    /// A browser without a window sent it.
    BrowserHeadless = "browser_headless",
    /// The text that should hold properties is no JSON object.
    PropertiesInvalid = "properties_invalid",
    /// A property of a name past those that the site keeps was left out.
    PropertyNameCapped = "property_name_capped",
}

/// One remark on one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// What is wrong.
    pub code: ReasonCode,
    /// The field it is about, in the sender's spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong and what would be right, for a person.
    pub message: String,
}

impl Reason {
    /// A remark on `field`.
    pub fn new(code: ReasonCode, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, field: Some(field.into()), message: message.into() }
    }
}

/// A rejected event as it stands on the topic `rejected`: every reason and the original bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rejection {
    /// The site, where it is known.
    pub site_id: Option<String>,
    /// The event's id, where it could be read.
    pub event_id: Option<Uuid>,
    /// The client's own id as sent.
    pub message_id: Option<String>,
    /// When the service took it.
    pub received_at: Micros,
    /// The way it came in.
    pub source: Source,
    /// The shape it came in, so that a replay reads it the same way.
    pub shape: crate::Shape,
    /// Why.
    pub reasons: Vec<Reason>,
    /// What was sent, as text (lossy where it is no UTF-8).
    pub original: String,
}

#[cfg(test)]
mod tests {
    use super::ReasonCode;

    #[test]
    fn a_code_is_written_the_same_everywhere() {
        for code in ReasonCode::ALL {
            assert_eq!(serde_json::to_value(code).ok(), Some(code.as_str().into()));
        }
    }
}
