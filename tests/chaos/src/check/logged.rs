//! What the log holds, against what clients were told and what the event store has.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use clickstream_log::{EVENTS, REJECTED};
use serde_json::Value;
use uuid::Uuid;

use super::{Promise, Violation, hold};
use crate::{columns::Identity, world::World};

/// Received (µs), partition, offset.
type Place = (i64, u32, u64);

/// The log, read.
pub struct Logged {
    /// The event at each offset of each partition.
    pub events: Vec<Vec<Identity>>,
    /// Where each event stands, first copy first.
    pub places: BTreeMap<Identity, BTreeSet<Place>>,
    /// Message ids of rejections, and how many there are.
    rejected: BTreeSet<Uuid>,
    rejections: u64,
}

/// Reads the log's records as JSON.
pub fn read(world: &World) -> Result<Logged, Violation> {
    let wrong = |what: String| Violation::new(Promise::Told, what);
    let mut logged = Logged { events: Vec::new(), places: BTreeMap::new(), rejected: BTreeSet::new(), rejections: 0 };
    for (partition, records) in (0..).zip(world.log.records(EVENTS)) {
        let mut events = Vec::new();
        for record in records {
            let event: Value = serde_json::from_slice(&record.record.value).map_err(|e| wrong(format!("a record is no JSON: {e}")))?;
            let identity = identity(&event).ok_or_else(|| wrong(format!("a record is no event: {event}")))?;
            let key = format!("{}:{}", identity.0, identity.1);
            hold(record.record.key.as_deref() == Some(key.as_bytes()), Promise::Told, || format!("{key} has another key"))?;
            let received = event["received_at"].as_str().and_then(micros).ok_or_else(|| wrong(format!("no received_at: {event}")))?;
            logged.places.entry(identity.clone()).or_default().insert((received, partition, record.offset));
            events.push(identity);
        }
        logged.events.push(events);
    }
    for record in world.log.records(REJECTED).into_iter().flatten() {
        let rejection: Value = serde_json::from_slice(&record.record.value).map_err(|e| wrong(format!("a rejection is no JSON: {e}")))?;
        logged.rejected.extend(rejection["message_id"].as_str().and_then(|id| id.parse::<Uuid>().ok()));
        logged.rejections += 1;
    }
    Ok(logged)
}

fn identity(event: &Value) -> Option<Identity> {
    Some((event["site_id"].as_str()?.to_owned(), event["event_id"].as_str()?.parse().ok()?))
}

/// `2026-11-24T10:00:00.000000Z` as µs since 1970.
fn micros(text: &str) -> Option<i64> {
    let field = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    // Days from civil, by Howard Hinnant (public domain).
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_year) = (shifted.div_euclid(400), (153 * ((month + 9) % 12) + 2) / 5 + day - 1);
    let of_era = shifted.rem_euclid(400);
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some((((days * 24 + field(11, 13)?) * 60 + field(14, 16)?) * 60 + field(17, 19)?) * 1_000_000 + field(20, 26)?)
}

/// What was accepted is in the log, what was rejected is among the rejections and not in the log, and nothing is in the
/// log that nobody sent.
pub fn answers(world: &World, logged: &Logged) -> Result<(), Violation> {
    let told = world.told();
    hold(told.lies.is_empty(), Promise::Told, || told.lies.join("; "))?;
    let lost: Vec<_> = told.accepted.keys().filter(|identity| !logged.places.contains_key(*identity)).collect();
    hold(lost.is_empty(), Promise::Told, || format!("{} accepted events are not in the log: {:?}", lost.len(), lost.first()))?;
    let lost: Vec<_> = told.rejected.difference(&logged.rejected).collect();
    hold(lost.is_empty(), Promise::Told, || format!("{} rejections are not in the log: {:?}", lost.len(), lost.first()))?;
    let strange = logged.places.keys().find(|identity| !told.sent.contains(*identity));
    hold(strange.is_none(), Promise::Told, || format!("{strange:?} is in the log, and nobody sent it"))
}

/// The event store has the first copy of each event, and each rejection.
pub fn stored(world: &Arc<World>, logged: &Logged) -> Result<(), Violation> {
    let stored = world.shelf.events();
    for (identity, places) in &logged.places {
        let (has, first) = (stored.get(identity), places.first());
        hold(has == first, Promise::Stored, || format!("the event store has {identity:?} from {has:?}, the log first at {first:?}"))?;
    }
    let strange = stored.keys().find(|identity| !logged.places.contains_key(*identity));
    hold(strange.is_none(), Promise::Stored, || format!("the event store has {strange:?}, which the log has not"))?;
    let rejections = world.shelf.rejections().len() as u64;
    hold(rejections == logged.rejections, Promise::Stored, || {
        format!("the event store has {rejections} rejections, the log {}", logged.rejections)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_time_is_read_to_the_microsecond() {
        assert_eq!(super::micros("1970-01-01T00:00:00.000000Z"), Some(0));
        assert_eq!(super::micros("2026-11-24T10:00:00.000001Z"), Some(1_795_514_400_000_001));
        assert_eq!(super::micros("2024-02-29T23:59:59.999999Z"), Some(1_709_251_199_999_999));
    }
}
