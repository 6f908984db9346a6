//! An event in one spelling, its values still as sent.

use serde_json::{Map, Value};

use crate::{Action, DeviceType};

/// A value with the name under which it was sent.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// The sender's spelling.
    pub name: &'static str,
    /// As sent.
    pub value: &'a Value,
}

/// An optional value; null counts as absent.
pub type Cell<'a> = Option<Field<'a>>;

/// What the action is, before it is known to be one.
#[derive(Clone, Debug)]
pub enum ActionWord {
    /// One of ours.
    Known(Action),
    /// Anything else, with the sender's field.
    Unknown(&'static str, String),
}

/// Every field that an event can bring.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    pub action: ActionWord,
    /// A name that the action implies (`$group`).
    pub implied_name: Option<&'static str>,
    pub id: Cell<'a>,
    pub id_field: &'static str,
    pub time_field: &'static str,
    pub name: Cell<'a>,
    pub original_at: Cell<'a>,
    pub sent_at: Cell<'a>,
    pub session_id: Cell<'a>,
    pub anonymous_id: Cell<'a>,
    pub user_id: Cell<'a>,
    pub url: Cell<'a>,
    pub path: Cell<'a>,
    pub referrer: Cell<'a>,
    pub page_title: Cell<'a>,
    pub utm: [Cell<'a>; 5],
    pub element_id: Cell<'a>,
    pub element_kind: Cell<'a>,
    pub element_text: Cell<'a>,
    pub element_class: Cell<'a>,
    pub x: Cell<'a>,
    pub y: Cell<'a>,
    pub position: Cell<'a>,
    pub visible_ms: Cell<'a>,
    pub viewport_width: Cell<'a>,
    pub viewport_height: Cell<'a>,
    pub scroll_position: Cell<'a>,
    pub device: Cell<'a>,
    pub os: Cell<'a>,
    pub browser: Cell<'a>,
    pub country: Cell<'a>,
    pub ip: Cell<'a>,
    pub user_agent: Cell<'a>,
    pub locale: Cell<'a>,
    pub library: Cell<'a>,
    pub library_version: Cell<'a>,
    /// Everything that has no column.
    pub properties: Vec<(&'a str, &'a Value)>,
    /// Properties sent as the text of a JSON object.
    pub properties_text: Cell<'a>,
    /// Properties that are neither an object nor the text of one.
    pub properties_wrong: Cell<'a>,
}

impl Draft<'_> {
    /// A draft without any field.
    pub fn empty(action: ActionWord, id_field: &'static str, time_field: &'static str) -> Self {
        Self {
            action,
            implied_name: None,
            id: None,
            id_field,
            time_field,
            name: None,
            original_at: None,
            sent_at: None,
            session_id: None,
            anonymous_id: None,
            user_id: None,
            url: None,
            path: None,
            referrer: None,
            page_title: None,
            utm: [None; 5],
            element_id: None,
            element_kind: None,
            element_text: None,
            element_class: None,
            x: None,
            y: None,
            position: None,
            visible_ms: None,
            viewport_width: None,
            viewport_height: None,
            scroll_position: None,
            device: None,
            os: None,
            browser: None,
            country: None,
            ip: None,
            user_agent: None,
            locale: None,
            library: None,
            library_version: None,
            properties: Vec::new(),
            properties_text: None,
            properties_wrong: None,
        }
    }
}

/// The value under `key`, under the sender's spelling `name`.
pub fn cell<'a>(map: &'a Map<String, Value>, key: &str, name: &'static str) -> Cell<'a> {
    map.get(key).filter(|v| !v.is_null()).map(|value| Field { name, value })
}

/// The object under `key`.
pub fn object<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Map<String, Value>> {
    map.get(key).and_then(Value::as_object)
}

/// The device types of every shape.
pub fn device_type(word: &str) -> Option<(DeviceType, Option<&'static str>)> {
    Some(match word.to_ascii_lowercase().as_str() {
        "desktop" => (DeviceType::Desktop, None),
        "mobile" => (DeviceType::Mobile, None),
        "tablet" => (DeviceType::Tablet, None),
        "bot" => (DeviceType::Bot, None),
        "unknown" => (DeviceType::Unknown, None),
        "android" => (DeviceType::Mobile, Some("Android")),
        "ios" => (DeviceType::Mobile, Some("iOS")),
        _ => return None,
    })
}
