//! Events as senders spell them. They are read leniently: an optional field of a wrong type is left out with a warning, an
//! event that is none is rejected alone. So these say what a sender should write.

use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};

use super::operation::schema;

/// Most events of a body.
const MOST: usize = 500;

/// Every shape by its name.
pub fn all() -> Vec<(&'static str, RefOr<Schema>)> {
    [
        ("SegmentEvent", segment()),
        ("SegmentBatch", batch("SegmentEvent")),
        ("CanonicalEvent", canonical()),
        ("CanonicalEvents", one_or_many("CanonicalEvent")),
        ("ClickEvent", clicks()),
        ("ClickEvents", one_or_many("ClickEvent")),
    ]
    .map(|(name, json)| (name, schema(json)))
    .into()
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn batch(event: &str) -> Value {
    json!({
        "type": "object",
        "required": ["batch"],
        "properties": {
            "batch": { "type": "array", "maxItems": MOST, "items": reference(event) },
            "writeKey": { "type": "string", "description": "Where neither Basic authorization nor the address names it." },
            "sentAt": { "type": "string", "format": "date-time" },
            "context": { "type": "object", "description": "Fills what an event's own context does not say." },
        },
    })
}

fn one_or_many(event: &str) -> Value {
    let many = json!({ "type": "array", "maxItems": MOST, "items": reference(event) });
    let named = |name: &str| json!({ "type": "object", "required": [name], "properties": { name: many } });
    json!({ "anyOf": [reference(event), many, named("events"), named("batch")] })
}

fn segment() -> Value {
    json!({
        "type": "object",
        "description": "Segment's shape. `track` with the event `element_viewed` or `element_clicked` is a view or a click and \
                        names its element in `properties.element_id`.",
        "properties": {
            "type": { "type": "string", "enum": ["track", "page", "screen", "identify", "group", "alias"] },
            "messageId": { "type": "string", "minLength": 1, "maxLength": 500, "description": "Repeats of an id count once." },
            "event": { "type": "string" },
            "name": { "type": "string" },
            "userId": { "type": "string" },
            "anonymousId": { "type": "string" },
            "timestamp": { "type": "string", "format": "date-time" },
            "sentAt": { "type": "string", "format": "date-time" },
            "properties": { "type": "object" },
            "traits": { "type": "object" },
            "context": { "type": "object" },
            "writeKey": { "type": "string" },
        },
        "example": {
            "type": "track", "event": "element_clicked", "messageId": "m-1", "anonymousId": "a-1",
            "properties": { "element_id": "buy-now", "x": 640, "y": 412 },
        },
    })
}

fn canonical() -> Value {
    json!({
        "type": "object",
        "description": "The service's own names, see Event; fields of other names go into `properties`.",
        "required": ["action"],
        "properties": {
            "event_id": { "type": "string", "minLength": 1, "maxLength": 500 },
            "action": { "type": "string", "enum": ["view", "click", "page", "identify", "custom"] },
            "name": { "type": "string" },
            "original_at": { "type": "string", "format": "date-time" },
            "session_id": { "type": "string" },
            "anonymous_id": { "type": "string" },
            "user_id": { "type": "string" },
            "element_id": { "type": "string" },
            "url": { "type": "string" },
            "x": { "type": "integer" },
            "y": { "type": "integer" },
            "properties": { "type": "object" },
        },
        "example": { "event_id": "0b7e4a52-5d0c-4b8e-9a61-3f1c7d2e8c01", "action": "click", "element_id": "buy-now", "anonymous_id": "a-1" },
    })
}

fn clicks() -> Value {
    json!({
        "type": "object",
        "description": "The names of the clicks CSV, with a nested `payload` or flat (`payload.elementId`).",
        "required": ["id", "type"],
        "properties": {
            "id": { "type": "string", "minLength": 1, "maxLength": 500 },
            "type": { "type": "string", "enum": ["VIEW", "CLICK", "PAGE", "IDENTIFY", "CUSTOM"] },
            "createdAt": { "type": "string" },
            "sessionId": { "type": "string" },
            "userId": { "type": "string" },
            "url": { "type": "string" },
            "deviceType": { "type": "string", "enum": ["DESKTOP", "MOBILE", "TABLET", "ANDROID", "IOS"] },
            "payload": { "type": "object" },
        },
        "example": { "id": "0b7e4a52-5d0c-4b8e-9a61-3f1c7d2e8c02", "type": "CLICK", "sessionId": "s-1", "payload": { "elementId": "buy-now" } },
    })
}
