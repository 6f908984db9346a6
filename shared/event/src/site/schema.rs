//! JSON Schemas of a site's events.
//!
//! Several versions of one event may stand side by side while clients change over: an event that satisfies any of them is
//! right, and one that satisfies none is told what the newest wants.

use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::{Action, Reason, ReasonCode};

/// Most faults that are named of one event.
const NAMED: usize = 10;
/// Longest message, characters.
const MESSAGE: usize = 200;

/// What a violated schema does to an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Violation {
    /// It is kept with a warning.
    #[default]
    Warn,
    /// It is rejected.
    Reject,
}

/// The schemas of a site. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Schemas(Arc<Vec<Schema>>);

/// One version of the schema of one event.
#[derive(Debug)]
pub struct Schema {
    event: String,
    version: u32,
    violation: Violation,
    validator: Validator,
    /// Names of properties that it describes.
    names: Vec<String>,
}

impl Schema {
    /// A schema of the properties of `event`: a custom event's name, or `view`, `click`, `page`, `identify`. Formats are
    /// checked, patterns take linear time (and so know no look-around), and nothing is fetched from elsewhere.
    ///
    /// # Errors
    /// Says why `schema` is no JSON Schema.
    pub fn new(event: &str, version: u32, violation: Violation, schema: &Value) -> Result<Self, String> {
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex()).should_validate_formats(true).offline();
        let validator = options.build(schema).map_err(|error| {
            let at = error.instance_path().as_str();
            format!("{}{}", cut(&error.masked_with("this").to_string()), if at.is_empty() { String::new() } else { format!(" (at {at})") })
        })?;
        let described = schema.get("properties").and_then(Value::as_object);
        let names = described.into_iter().flat_map(|properties| properties.keys().cloned()).collect();
        Ok(Self { event: event.to_owned(), version, violation, validator, names })
    }

    /// The event.
    pub fn event(&self) -> &str {
        &self.event
    }

    /// The version.
    pub fn version(&self) -> u32 {
        self.version
    }
}

impl Schemas {
    /// The schemas given.
    pub fn new(mut schemas: Vec<Schema>) -> Self {
        schemas.sort_by(|a, b| a.event.cmp(&b.event).then(b.version.cmp(&a.version)));
        Self(Arc::new(schemas))
    }

    /// True if no event has one.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names of properties that any of them describes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|schema| schema.names.iter().map(String::as_str))
    }

    /// What is wrong with the properties of an event, and what that does to it; none where they satisfy a schema of it,
    /// or it has none.
    pub(crate) fn check(&self, action: Action, name: Option<&str>, properties: &Value) -> Option<(Violation, Vec<Reason>)> {
        let event = if action == Action::Custom { name? } else { action.as_str() };
        // A custom event that calls itself like an action is not the action.
        if action == Action::Custom && matches!(event, "view" | "click" | "page" | "identify") {
            return None;
        }
        let first = self.0.partition_point(|schema| schema.event.as_str() < event);
        let versions = || self.0[first..].iter().take_while(|schema| schema.event == event);
        let newest = versions().next()?;
        if versions().any(|schema| schema.validator.is_valid(properties)) {
            return None;
        }
        let faults = newest.validator.iter_errors(properties).take(NAMED).map(|fault| {
            let message = format!("{} (schema of {event}, version {})", cut(&fault.masked().to_string()), newest.version);
            Reason::new(ReasonCode::SchemaViolated, format!("/properties{}", fault.instance_path()), message)
        });
        Some((newest.violation, faults.collect()))
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MESSAGE).collect()
}
