//! What of an event has another value.

use clickstream_event::Event;
use serde_json::Value;

use super::{ChangedField, DayReport};

/// Samples of a day, and of one field.
const SAMPLES: usize = 20;
const OF_A_FIELD: usize = 3;

/// Fields whose values reports show, or that tell nothing of a person.
const SHOWN: [&str; 14] = [
    "bot",
    "bot_reasons",
    "browser",
    "country",
    "device_type",
    "os",
    "path",
    "utm_campaign",
    "utm_content",
    "utm_medium",
    "utm_source",
    "utm_term",
    "verdict",
    "warnings",
];

impl DayReport {
    /// Counts an event's fields that have another value.
    pub(super) fn note(&mut self, old: &Event, new: &Event) -> Result<(), serde_json::Error> {
        let (Value::Object(before), Value::Object(after)) = (serde_json::to_value(old)?, serde_json::to_value(new)?) else {
            return Ok(());
        };
        self.changed += 1;
        let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
        for name in names.filter(|name| before.get(*name) != after.get(*name)) {
            *self.fields.entry(name.clone()).or_default() += 1;
            let alike = self.samples.iter().filter(|sample| sample.field == *name).count();
            if alike < OF_A_FIELD && self.samples.len() < SAMPLES {
                let shown = |value: Option<&Value>| value.filter(|_| SHOWN.contains(&name.as_str())).cloned();
                let sample =
                    ChangedField { event_id: new.event_id, field: name.clone(), old: shown(before.get(name)), new: shown(after.get(name)) };
                self.samples.push(sample);
            }
        }
        Ok(())
    }
}
