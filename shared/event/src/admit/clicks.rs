//! The shape of the clicks CSV: `id,type,createdAt,…,payload.metadata`, flat or with a nested `payload`.

use serde_json::{Map, Value};

use super::draft::{ActionWord, Cell, Draft, Field, cell};
use crate::Action;

pub fn draft(fields: &Map<String, Value>) -> Draft<'_> {
    let word = fields.get("type").and_then(Value::as_str).unwrap_or_default();
    let action = match Action::from_name(&word.to_ascii_lowercase()) {
        Some(action) => ActionWord::Known(action),
        None => ActionWord::Unknown("type", word.to_owned()),
    };
    let mut draft = Draft::empty(action, "id", "createdAt");
    draft.id = sent(fields, "id", "id");
    draft.original_at = sent(fields, "createdAt", "createdAt");
    draft.session_id = sent(fields, "sessionId", "sessionId");
    draft.user_id = sent(fields, "userId", "userId");
    draft.anonymous_id = sent(fields, "anonymousId", "anonymousId");
    draft.ip = sent(fields, "ip", "ip");
    draft.url = sent(fields, "url", "url");
    draft.referrer = sent(fields, "referrer", "referrer");
    draft.device = sent(fields, "deviceType", "deviceType");
    draft.user_agent = sent(fields, "userAgent", "userAgent");
    let nested = fields.get("payload").and_then(Value::as_object);
    let payload = |flat: &'static str| -> Cell<'_> {
        let key = flat.trim_start_matches("payload.");
        nested.and_then(|p| sent(p, key, flat)).or_else(|| sent(fields, flat, flat))
    };
    draft.name = payload("payload.eventTitle");
    draft.element_id = payload("payload.elementId");
    draft.x = payload("payload.x");
    draft.y = payload("payload.y");
    draft.element_text = payload("payload.elementText");
    draft.element_class = payload("payload.elementClass");
    draft.page_title = payload("payload.pageTitle");
    draft.viewport_width = payload("payload.viewportWidth");
    draft.viewport_height = payload("payload.viewportHeight");
    draft.scroll_position = payload("payload.scrollPosition");
    // What these two mean differs between senders (minutes of a time zone, milliseconds of a clock):
    // they are kept as sent rather than guessed at.
    for (key, value) in fields.iter().chain(nested.into_iter().flatten()) {
        if matches!(key.trim_start_matches("payload."), "timestampOffset" | "receivedAt") && !value.is_null() {
            draft.properties.push((key.trim_start_matches("payload."), value));
        }
    }
    match payload("payload.metadata") {
        Some(Field { value: Value::Object(metadata), .. }) => draft.properties.extend(metadata.iter().map(|(k, v)| (k.as_str(), v))),
        Some(text @ Field { value: Value::String(_), .. }) => draft.properties_text = Some(text),
        Some(wrong) => draft.properties_wrong = Some(wrong),
        None => {}
    }
    draft
}

/// A value; the text `null` counts as absent.
fn sent<'a>(map: &'a Map<String, Value>, key: &str, name: &'static str) -> Cell<'a> {
    cell(map, key, name).filter(|f| f.value.as_str() != Some("null"))
}
