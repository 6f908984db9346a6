//! The documentation of the API names what the code knows.

use clickstream_event::{Event, ReasonCode};

const API: &str = include_str!("../../../../docs/api/README.md");

#[test]
fn every_reason_code_is_documented() {
    let missing: Vec<_> = ReasonCode::ALL.iter().map(|code| code.as_str()).filter(|code| !API.contains(&format!("| `{code}` |"))).collect();
    assert!(missing.is_empty(), "docs/api/README.md lacks {missing:?}");
}

#[test]
fn every_field_of_an_event_is_documented() {
    // An event with every field: what is absent would not be seen.
    let text = r#"{"event_id":"0b7e4a52-5d0c-4b8e-9a61-3f1c7d2e8c01","site_id":"s","action":"click","name":"n",
        "original_at":"2026-11-24T12:00:00Z","occurred_at":"2026-11-24T12:00:00Z","sent_at":"2026-11-24T12:00:00Z",
        "received_at":"2026-11-24T12:00:00Z","session_id":"s","anonymous_id":"a","user_id":"u","url":"/","path":"/",
        "referrer":"/","page_title":"t","utm_source":"u","utm_medium":"u","utm_campaign":"u","utm_term":"u","utm_content":"u",
        "element_id":"e","element_kind":"k","element_text":"t","element_class":"c","x":1,"y":1,"position":1,"visible_ms":1,
        "viewport_width":1,"viewport_height":1,"scroll_position":1,"device_type":"bot","os":"o","browser":"b","country":"DE",
        "bot":true,"bot_reasons":["declared"],"ip":"8.8.8.0","user_agent":"u","locale":"l","library":"l","source":"http",
        "verdict":"suspicious","warnings":["ip_invalid"],"properties":{"a":1}}"#;
    let event: Event = serde_json::from_str(text).expect("an event");
    let fields = serde_json::to_value(event).expect("an event is JSON");
    let missing: Vec<_> = fields.as_object().expect("an object").keys().filter(|name| !API.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/api/README.md lacks {missing:?}");
}
