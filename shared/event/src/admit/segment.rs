//! Segment's shape: <https://segment.com/docs/connections/spec/>.

use serde_json::{Map, Value};

use super::draft::{ActionWord, Cell, Draft, Field, cell, object};
use crate::Action;

/// Properties with a column of their own: our name, Segment-style name.
const COLUMNS: [(&str, &str); 16] = [
    ("element_id", "elementId"),
    ("element_kind", "elementKind"),
    ("element_text", "elementText"),
    ("element_class", "elementClass"),
    ("x", "x"),
    ("y", "y"),
    ("position", "position"),
    ("visible_ms", "visibleMs"),
    ("viewport_width", "viewportWidth"),
    ("viewport_height", "viewportHeight"),
    ("scroll_position", "scrollPosition"),
    ("session_id", "sessionId"),
    ("url", "url"),
    ("path", "path"),
    ("referrer", "referrer"),
    ("title", "title"),
];

pub fn draft(fields: &Map<String, Value>) -> Draft<'_> {
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
    let event = fields.get("event").and_then(Value::as_str).unwrap_or_default();
    let (action, implied_name) = match (kind, event) {
        ("track", "element_viewed") => (ActionWord::Known(Action::View), None),
        ("track", "element_clicked") => (ActionWord::Known(Action::Click), None),
        ("track", _) => (ActionWord::Known(Action::Custom), None),
        ("page" | "screen", _) => (ActionWord::Known(Action::Page), None),
        ("identify", _) => (ActionWord::Known(Action::Identify), None),
        ("group", _) => (ActionWord::Known(Action::Custom), Some("$group")),
        ("alias", _) => (ActionWord::Known(Action::Custom), Some("$alias")),
        (other, _) => (ActionWord::Unknown("type", other.to_owned()), None),
    };
    let mut draft = Draft::empty(action, "messageId", "timestamp");
    draft.implied_name = implied_name;
    draft.id = cell(fields, "messageId", "messageId");
    draft.name = if kind == "track" { cell(fields, "event", "event") } else { cell(fields, "name", "name") };
    draft.original_at = cell(fields, "originalTimestamp", "originalTimestamp").or_else(|| cell(fields, "timestamp", "timestamp"));
    draft.sent_at = cell(fields, "sentAt", "sentAt");
    draft.anonymous_id = cell(fields, "anonymousId", "anonymousId");
    draft.user_id = cell(fields, "userId", "userId");
    if let Some(context) = object(fields, "context") {
        context_fields(&mut draft, context);
    }
    let bag = match kind {
        "identify" | "group" => "traits",
        _ => "properties",
    };
    if let Some(properties) = object(fields, bag) {
        let lifted = !matches!(kind, "identify" | "group");
        for (key, value) in properties {
            if !(lifted && lift(&mut draft, key, value)) {
                draft.properties.push((key, value));
            }
        }
    } else if let Some(wrong) = cell(fields, bag, if bag == "traits" { "traits" } else { "properties" }) {
        draft.properties_wrong = Some(wrong);
    }
    for extra in ["groupId", "previousId", "category"] {
        if let Some((key, value)) = fields.get_key_value(extra).filter(|(_, v)| !v.is_null()) {
            draft.properties.push((key, value));
        }
    }
    draft
}

fn context_fields<'a>(draft: &mut Draft<'a>, context: &'a Map<String, Value>) {
    draft.ip = cell(context, "ip", "context.ip");
    draft.user_agent = cell(context, "userAgent", "context.userAgent");
    draft.locale = cell(context, "locale", "context.locale");
    draft.session_id = cell(context, "sessionId", "context.sessionId");
    if let Some(page) = object(context, "page") {
        draft.url = cell(page, "url", "context.page.url");
        draft.path = cell(page, "path", "context.page.path");
        draft.referrer = cell(page, "referrer", "context.page.referrer");
        draft.page_title = cell(page, "title", "context.page.title");
    }
    if let Some(campaign) = object(context, "campaign") {
        draft.utm = [
            cell(campaign, "source", "context.campaign.source"),
            cell(campaign, "medium", "context.campaign.medium"),
            cell(campaign, "name", "context.campaign.name"),
            cell(campaign, "term", "context.campaign.term"),
            cell(campaign, "content", "context.campaign.content"),
        ];
    }
    if let Some(library) = object(context, "library") {
        draft.library = cell(library, "name", "context.library.name");
        draft.library_version = cell(library, "version", "context.library.version");
    }
    if let Some(device) = object(context, "device") {
        draft.device = cell(device, "type", "context.device.type");
    }
    if let Some(os) = object(context, "os") {
        draft.os = cell(os, "name", "context.os.name");
    }
}

/// Puts a property into its column; false if it has none.
fn lift<'a>(draft: &mut Draft<'a>, key: &str, value: &'a Value) -> bool {
    let Some((name, _)) = COLUMNS.iter().find(|(ours, theirs)| *ours == key || *theirs == key) else { return false };
    let column: Cell<'a> = (!value.is_null()).then_some(Field { name, value });
    let target = match *name {
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
        "session_id" => &mut draft.session_id,
        "url" => &mut draft.url,
        "path" => &mut draft.path,
        "referrer" => &mut draft.referrer,
        _ => &mut draft.page_title,
    };
    // What the context says of the page goes before a property of the same name.
    if target.is_none() {
        *target = column;
    }
    true
}
