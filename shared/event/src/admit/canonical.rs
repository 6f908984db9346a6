//! Our own `snake_case` names, those of [`crate::Event`].

use serde_json::{Map, Value};

use super::draft::{ActionWord, Draft, cell};
use crate::Action;

/// Names that the service sets itself; what a sender says there is not taken.
const OURS: [&str; 10] =
    ["received_at", "source", "verdict", "warnings", "bot", "bot_reasons", "log_id", "log_partition", "log_offset", "load_id"];

pub fn draft(fields: &Map<String, Value>) -> Draft<'_> {
    let word = fields.get("action").and_then(Value::as_str).unwrap_or_default();
    let action = match Action::from_name(&word.to_ascii_lowercase()) {
        Some(action) => ActionWord::Known(action),
        None => ActionWord::Unknown("action", word.to_owned()),
    };
    let mut draft = Draft::empty(action, "event_id", "occurred_at");
    for (key, value) in fields {
        let key = key.as_str();
        if OURS.contains(&key) || matches!(key, "action" | "site_id") {
            continue;
        }
        let target = match key {
            "event_id" => &mut draft.id,
            "name" => &mut draft.name,
            "original_at" => &mut draft.original_at,
            "sent_at" => &mut draft.sent_at,
            "session_id" => &mut draft.session_id,
            "anonymous_id" => &mut draft.anonymous_id,
            "user_id" => &mut draft.user_id,
            "url" => &mut draft.url,
            "path" => &mut draft.path,
            "referrer" => &mut draft.referrer,
            "page_title" => &mut draft.page_title,
            "utm_source" => &mut draft.utm[0],
            "utm_medium" => &mut draft.utm[1],
            "utm_campaign" => &mut draft.utm[2],
            "utm_term" => &mut draft.utm[3],
            "utm_content" => &mut draft.utm[4],
            "element_id" => &mut draft.element_id,
            "element_kind" => &mut draft.element_kind,
            "element_text" => &mut draft.element_text,
            "element_class" => &mut draft.element_class,
            "x" => &mut draft.x,
            "y" => &mut draft.y,
            "position" => &mut draft.position,
            "visible_ms" => &mut draft.visible_ms,
            "viewport_width" => &mut draft.viewport_width,
            "viewport_height" => &mut draft.viewport_height,
            "scroll_position" => &mut draft.scroll_position,
            "device_type" => &mut draft.device,
            "os" => &mut draft.os,
            "browser" => &mut draft.browser,
            "country" => &mut draft.country,
            "ip" => &mut draft.ip,
            "user_agent" => &mut draft.user_agent,
            "locale" => &mut draft.locale,
            "library" => &mut draft.library,
            "occurred_at" | "timestamp" | "properties" => continue,
            _ => {
                draft.properties.push((key, value));
                continue;
            }
        };
        *target = cell(fields, key, name_of(key));
    }
    draft.original_at =
        draft.original_at.or_else(|| cell(fields, "occurred_at", "occurred_at")).or_else(|| cell(fields, "timestamp", "timestamp"));
    match fields.get("properties") {
        Some(Value::Object(properties)) => draft.properties.extend(properties.iter().map(|(k, v)| (k.as_str(), v))),
        Some(Value::String(_)) => draft.properties_text = cell(fields, "properties", "properties"),
        Some(Value::Null) | None => {}
        Some(_) => draft.properties_wrong = cell(fields, "properties", "properties"),
    }
    draft
}

/// The static spelling of a name that [`draft`] knows.
fn name_of(key: &str) -> &'static str {
    const NAMES: [&str; 36] = [
        "event_id",
        "name",
        "original_at",
        "sent_at",
        "session_id",
        "anonymous_id",
        "user_id",
        "url",
        "path",
        "referrer",
        "page_title",
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "utm_term",
        "utm_content",
        "element_id",
        "element_kind",
        "element_text",
        "element_class",
        "x",
        "y",
        "position",
        "visible_ms",
        "viewport_width",
        "viewport_height",
        "scroll_position",
        "device_type",
        "os",
        "browser",
        "country",
        "ip",
        "user_agent",
        "locale",
        "library",
        "properties",
    ];
    NAMES.into_iter().find(|n| *n == key).unwrap_or("properties")
}
