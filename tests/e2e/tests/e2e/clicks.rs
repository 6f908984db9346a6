//! Clicks of now, with ids of their own.

use clickstream_event::Micros;
use serde_json::{Value, json};
use uuid::Uuid;

/// A request of `count` clicks, and their ids.
pub fn batch(count: usize) -> (Vec<Uuid>, Value) {
    let ids: Vec<_> = (0..count).map(|_| Uuid::new_v4()).collect();
    let click = |id: &Uuid| json!({ "type": "track", "event": "element_clicked", "messageId": id, "anonymousId": "a", "properties": { "element_id": "e" } });
    let batch: Vec<_> = ids.iter().map(click).collect();
    (ids, json!({ "writeKey": "demo", "batch": batch }))
}

/// Yesterday and today (UTC): a test may run past midnight.
pub fn days() -> (String, String) {
    let day = |at: Micros| at.to_string()[..10].to_owned();
    (day(Micros::now().plus(-Micros::DAY)), day(Micros::now()))
}
