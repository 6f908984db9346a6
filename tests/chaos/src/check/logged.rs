//! What the log holds, against what clients were told and what the event store has.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use clickstream_log::{EVENTS, REJECTED};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Promise, Violation,
    forgotten::{Forgotten, Whose},
    hold,
};
use crate::{columns::Identity, world::World};

/// Received (µs), partition, offset.
type Place = (i64, u32, u64);

/// One record of `events`.
pub struct Record {
    pub identity: Identity,
    /// A tombstone covers it.
    pub erased: bool,
    pub user: Option<String>,
    pub anonymous: Option<String>,
}

/// What is to become of an event by its copies in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// No copy is erased.
    Stays,
    /// Every copy is.
    Goes,
    /// Some are: of an event that was sent again after its sender was erased, without a time of its own, either may be
    /// true.
    Either,
}

/// The log, read.
pub struct Logged {
    /// The record at each offset of each partition.
    pub events: Vec<Vec<Record>>,
    /// Where each event stands, first copy first.
    pub places: BTreeMap<Identity, BTreeSet<Place>>,
    /// Of those, the copies that are not erased.
    kept: BTreeMap<Identity, BTreeSet<Place>>,
    /// Message ids of rejections.
    rejected: BTreeSet<Uuid>,
    /// Places of rejections, and whether a tombstone covers them.
    rejections: BTreeMap<(u32, u64), bool>,
    /// Sites and message ids of those that are not erased, nor would be as events.
    rejected_events: BTreeSet<Identity>,
    pub forgotten: Forgotten,
}

impl Logged {
    pub fn fate(&self, identity: &Identity) -> Fate {
        let count = |of: &BTreeMap<Identity, BTreeSet<Place>>| of.get(identity).map_or(0, BTreeSet::len);
        match (count(&self.kept), count(&self.places)) {
            (0, _) => Fate::Goes,
            (kept, all) if kept == all => Fate::Stays,
            _ => Fate::Either,
        }
    }
}

/// Reads the log's records as JSON.
pub fn read(world: &World) -> Result<Logged, Violation> {
    let wrong = |what: String| Violation::new(Promise::Told, what);
    let mut logged = Logged {
        events: Vec::new(),
        places: BTreeMap::new(),
        kept: BTreeMap::new(),
        rejected: BTreeSet::new(),
        rejections: BTreeMap::new(),
        rejected_events: BTreeSet::new(),
        forgotten: Forgotten::read(world)?,
    };
    for (partition, records) in (0..).zip(world.log.records(EVENTS)) {
        let mut events = Vec::new();
        for record in records {
            let event: Value = serde_json::from_slice(&record.record.value).map_err(|e| wrong(format!("a record is no JSON: {e}")))?;
            let identity = identity(&event).ok_or_else(|| wrong(format!("a record is no event: {event}")))?;
            let key = format!("{}:{}", identity.0, identity.1);
            hold(record.record.key.as_deref() == Some(key.as_bytes()), Promise::Told, || format!("{key} has another key"))?;
            let at = |name: &str| event[name].as_str().and_then(micros).ok_or_else(|| wrong(format!("no {name}: {event}")));
            let (received_at, original_at) = (at("received_at")?, at("original_at")?);
            let (user, anonymous) = (event["user_id"].as_str(), event["anonymous_id"].as_str());
            let erased = logged.forgotten.covers(&Whose { site: &identity.0, user, anonymous, received_at, original_at });
            let place = (received_at, partition, record.offset);
            logged.places.entry(identity.clone()).or_default().insert(place);
            if !erased {
                logged.kept.entry(identity.clone()).or_default().insert(place);
            }
            events.push(Record { identity, erased, user: user.map(str::to_owned), anonymous: anonymous.map(str::to_owned) });
        }
        logged.events.push(events);
    }
    for (partition, records) in (0..).zip(world.log.records(REJECTED)) {
        for record in records {
            let rejection: Value =
                serde_json::from_slice(&record.record.value).map_err(|e| wrong(format!("a rejection is no JSON: {e}")))?;
            logged.take_rejection((partition, record.offset), &rejection);
        }
    }
    Ok(logged)
}

impl Logged {
    fn take_rejection(&mut self, place: (u32, u64), rejection: &Value) {
        let message_id = rejection["message_id"].as_str().and_then(|id| id.parse::<Uuid>().ok());
        let site = rejection["site_id"].as_str().unwrap_or_default();
        let original: Value = rejection["original"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let received_at = rejection["received_at"].as_str().and_then(micros).unwrap_or(i64::MAX);
        let (user, anonymous) = (original["userId"].as_str(), original["anonymousId"].as_str());
        let covers = |original_at| self.forgotten.covers(&Whose { site, user, anonymous, received_at, original_at });
        // A rejection was when it was received; the event that it may become, when it says that it happened.
        let (erased, erased_as_event) =
            (covers(received_at), covers(original["timestamp"].as_str().and_then(micros).unwrap_or(received_at)));
        self.rejected.extend(message_id);
        self.rejections.insert(place, erased);
        if !erased_as_event {
            self.rejected_events.extend(message_id.map(|id| (site.to_owned(), id)));
        }
    }
}

fn identity(event: &Value) -> Option<Identity> {
    Some((event["site_id"].as_str()?.to_owned(), event["event_id"].as_str()?.parse().ok()?))
}

/// `2026-11-24T10:00:00.000000Z` as µs since 1970.
pub fn micros(text: &str) -> Option<i64> {
    let field = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    // Days from civil, by Howard Hinnant (public domain).
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_year) = (shifted.div_euclid(400), (153 * ((month + 9) % 12) + 2) / 5 + day - 1);
    let of_era = shifted.rem_euclid(400);
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some((((days * 24 + field(11, 13)?) * 60 + field(14, 16)?) * 60 + field(17, 19)?) * 1_000_000 + field(20, 26)?)
}

/// What was accepted is in the log, what was rejected is among the rejections, and nothing is in the log that nobody sent.
/// What waited under `spill/` when its sender was erased never comes to the log.
pub fn answers(world: &World, logged: &Logged) -> Result<(), Violation> {
    let told = world.told();
    hold(told.lies.is_empty(), Promise::Told, || told.lies.join("; "))?;
    let is_forgotten = |id: &Uuid| {
        told.senders.get(id).into_iter().flatten().any(|sender| {
            let of = |kind, id: &Option<String>| id.as_deref().is_some_and(|id| logged.forgotten.as_of(sender.site, kind, id).is_some());
            of("user", &sender.user) || of("anonymous", &sender.anonymous)
        })
    };
    let lost: Vec<_> =
        told.accepted.keys().filter(|identity| !logged.places.contains_key(*identity) && !is_forgotten(&identity.1)).collect();
    hold(lost.is_empty(), Promise::Told, || format!("{} accepted events are not in the log: {:?}", lost.len(), lost.first()))?;
    let lost: Vec<_> = told.rejected.difference(&logged.rejected).filter(|id| !is_forgotten(id)).collect();
    hold(lost.is_empty(), Promise::Told, || format!("{} rejections are not in the log: {:?}", lost.len(), lost.first()))?;
    let strange = logged.places.keys().find(|identity| !told.sent.contains(*identity));
    hold(strange.is_none(), Promise::Told, || format!("{strange:?} is in the log, and nobody sent it"))
}

/// What was rejected and is valid by the rules of later is in the log, once these were asked for. Nothing else that was
/// rejected is.
pub fn replayed(world: &World, logged: &Logged) -> Result<(), Violation> {
    let told = world.told();
    let valid_now = |identity: &&Identity| told.later_valid.contains(*identity);
    let missing = logged.rejected_events.iter().filter(valid_now).find(|identity| !logged.places.contains_key(*identity));
    hold(!told.replayed || missing.is_none(), Promise::Replayed, || format!("{missing:?} is valid now, and was not played again"))?;
    let strange = logged.rejected_events.iter().find(|identity| !valid_now(identity) && logged.places.contains_key(*identity));
    hold(strange.is_none(), Promise::Replayed, || format!("{strange:?} was rejected, and is in the log"))
}

/// The event store has the first copy of each event, and each rejection; when all is `done`, nothing that is erased.
pub fn stored(world: &Arc<World>, logged: &Logged, done: bool) -> Result<(), Violation> {
    let stored = world.shelf.events();
    for (identity, places) in &logged.places {
        let (has, first) = (stored.get(identity), places.first());
        match logged.fate(identity) {
            // Of an event that was lost, some copy that came again may be there in time, and is not looked for.
            Fate::Stays => {
                hold(has == first || (world.shelf.is_lossy() && has.is_some_and(|has| places.contains(has))), Promise::Stored, || {
                    format!("the event store has {identity:?} from {has:?}, the log first at {first:?}")
                })?;
            }
            Fate::Goes if done => hold(has.is_none(), Promise::Forgotten, || format!("the event store has {identity:?}, which is erased"))?,
            Fate::Either if done => {
                let kept = &logged.kept[identity];
                hold(has.is_some_and(|has| kept.contains(has)), Promise::Stored, || {
                    format!("the event store has {identity:?} from {has:?}, of its copies {kept:?} are not erased")
                })?;
            }
            Fate::Goes | Fate::Either => {}
        }
    }
    let strange = stored.keys().find(|identity| !logged.places.contains_key(*identity));
    hold(strange.is_none(), Promise::Stored, || format!("the event store has {strange:?}, which the log has not"))?;
    let rejections: BTreeSet<_> = world.shelf.rejections().into_iter().collect();
    for (place, erased) in &logged.rejections {
        let has = rejections.contains(place);
        hold(has || *erased, Promise::Stored, || format!("the event store has not the rejection at {place:?}"))?;
        hold(!has || !erased || !done, Promise::Forgotten, || format!("the event store has the rejection at {place:?}, which is erased"))?;
    }
    let strange = rejections.iter().find(|place| !logged.rejections.contains_key(*place));
    hold(strange.is_none(), Promise::Stored, || format!("the event store has a rejection at {strange:?}, the log has not"))
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
