//! Single events with chosen ids and times.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "tests fail by panicking")]

use clickstream_columns::RawRow;
use clickstream_event::{Event, Micros};
use serde_json::json;
use uuid::Uuid;

/// 2026-11-24T10:00:00Z.
pub const BEGIN: Micros = Micros(1_795_514_400 * Micros::SECOND);

/// The click `id` on the button `buy` of the site `shop`, so many seconds after [`BEGIN`], taken at that moment.
pub fn click(id: u128, seconds: i64) -> Event {
    let at = BEGIN.plus(seconds * Micros::SECOND);
    let event = json!({
        "event_id": Uuid::from_u128(id), "site_id": "shop", "action": "click", "element_id": "buy", "user_id": "u", "device_type": "desktop",
        "original_at": at, "occurred_at": at, "received_at": at, "source": "http", "verdict": "valid"
    });
    serde_json::from_value(event).unwrap()
}

/// Rows of a raw object, the first at offset `first`.
pub fn rows(first: u64, events: &[Event]) -> Vec<(u64, RawRow)> {
    (first..).zip(events).map(|(offset, event)| (offset, RawRow::Event(Box::new(event.clone())))).collect()
}

/// An event as it stands on the topic `events`.
pub fn value(event: &Event) -> Vec<u8> {
    serde_json::to_vec(event).unwrap()
}
