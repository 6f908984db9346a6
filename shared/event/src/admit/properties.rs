//! What an event says beside what has a place of its own.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{draft::Draft, read::Remarks, visitor};
use crate::{Action, PropertyNames, ReasonCode, Site, Violation};

/// Whatever an event says beside what has a place of its own.
pub fn properties(draft: &Draft<'_>, site: &Site, remarks: &mut Remarks) -> Map<String, Value> {
    if let Some(wrong) = draft.properties_wrong {
        remarks.wrong_type(wrong.name, wrong.value, "an object");
    }
    let parsed = draft.properties_text.and_then(|field| {
        let parsed = field.value.as_str().and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
        if parsed.is_none() {
            remarks.add(ReasonCode::PropertiesInvalid, field.name, "left out: wanted the text of a JSON object");
        }
        parsed
    });
    let mut map: Map<String, Value> = parsed.unwrap_or_default();
    for (key, value) in &draft.properties {
        map.insert((*key).to_owned(), without_nul(value).into_owned());
    }
    if site.cookieless {
        visitor::STORED.iter().for_each(|name| drop(map.remove(*name)));
    }
    map
}

/// Holds the properties against the site's schemas.
pub fn check_schema(
    properties: &mut Map<String, Value>,
    site: &Site,
    action: Action,
    name: Option<&str>,
    wrong: &mut Remarks,
    remarks: &mut Remarks,
) {
    let object = Value::Object(std::mem::take(properties));
    match site.schemas.check(action, name, &object) {
        Some((Violation::Reject, faults)) => wrong.0.extend(faults),
        Some((Violation::Warn, faults)) => remarks.0.extend(faults),
        None => {}
    }
    if let Value::Object(map) = object {
        *properties = map;
    }
}

/// Leaves out what has a name past those that the site keeps.
pub fn cap(properties: &mut Map<String, Value>, names: &PropertyNames, remarks: &mut Remarks) {
    let mut left_out: Option<String> = None;
    properties.retain(|name, _| {
        let kept = names.admit(name);
        if !kept && left_out.is_none() {
            left_out = Some(name.chars().take(50).collect());
        }
        kept
    });
    if let Some(name) = left_out {
        let message = format!("left out {name:?} and all but the first {} names of properties that this site has seen", names.most());
        remarks.add(ReasonCode::PropertyNameCapped, "properties", message);
    }
}

/// NUL in a text is taken by JSON but by few stores.
fn without_nul(value: &Value) -> Cow<'_, Value> {
    match value {
        Value::String(text) if text.contains('\0') => Cow::Owned(Value::String(text.replace('\0', ""))),
        Value::Array(items) if items.iter().any(|i| matches!(without_nul(i), Cow::Owned(_))) => {
            Cow::Owned(items.iter().map(|i| without_nul(i).into_owned()).collect())
        }
        Value::Object(map) if map.values().any(|v| matches!(without_nul(v), Cow::Owned(_))) => {
            Cow::Owned(Value::Object(map.iter().map(|(k, v)| (k.clone(), without_nul(v).into_owned())).collect()))
        }
        _ => Cow::Borrowed(value),
    }
}
