//! Free-form properties of an event.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// The text of a JSON object, kept as text because nothing in the pipeline looks inside it.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = Object)]
pub struct Properties(String);

impl Properties {
    /// Wraps `text` if it is one JSON object.
    pub fn from_json(text: &str) -> Option<Self> {
        let raw: &RawValue = serde_json::from_str(text).ok()?;
        let text = raw.get().trim();
        text.starts_with('{').then(|| Self(text.to_owned()))
    }

    /// The properties that `map` holds.
    pub fn from_map(map: &serde_json::Map<String, serde_json::Value>) -> Self {
        Self(serde_json::to_string(map).unwrap_or_else(|_| "{}".to_owned()))
    }

    /// The JSON object as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for `{}`.
    pub fn is_empty(&self) -> bool {
        self.0.len() <= 2
    }
}

impl Default for Properties {
    fn default() -> Self {
        Self("{}".to_owned())
    }
}

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('{') {
            Ok(Self(Box::<str>::from(raw).into_string()))
        } else {
            Err(serde::de::Error::custom("properties must be a JSON object"))
        }
    }
}
