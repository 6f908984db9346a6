//! Raw objects: every offset of the log is in one, with the event that stands there.

use std::collections::BTreeSet;

use super::{Promise, Violation, hold, logged::Logged};
use crate::{
    columns::{self, RawRow},
    port::log::LOG_ID,
    world::World,
};

/// Every offset is covered, by names and by rows. An erased event has the dead letter in its place that says so: it may
/// before all is `done`, and must afterwards, in each object that covers it.
pub fn landed(world: &World, logged: &Logged, done: bool) -> Result<(), Violation> {
    for (partition, events) in logged.events.iter().enumerate() {
        let mut covered = BTreeSet::new();
        for meta in world.bucket.list(&format!("raw/events/{LOG_ID}/{partition:05}/")) {
            let key = meta.location.to_string();
            let wrong = |what: String| Violation::new(Promise::Landed, format!("{key}: {what}"));
            let stored = world.bucket.get(&meta.location).map_err(|e| wrong(e.to_string()))?;
            let rows = columns::rows(&stored.bytes).map_err(|e| wrong(e.to_string()))?;
            let mut offsets = BTreeSet::new();
            for row in rows {
                let offset = match &row {
                    RawRow::Event(row) => row.offset,
                    RawRow::Dead { offset, .. } => *offset,
                };
                let stands = events.get(offset as usize).ok_or_else(|| wrong(format!("the log has no offset {offset}")))?;
                match &row {
                    RawRow::Event(row) => {
                        let same = row.log_id == LOG_ID && row.partition as usize == partition && stands.identity == row.identity;
                        hold(same, Promise::Landed, || format!("{key} has {row:?} where the log has {:?}", stands.identity))?;
                        hold(!done || !stands.erased, Promise::Forgotten, || format!("{key} has {:?}, which is erased", row.identity))?;
                    }
                    RawRow::Dead { erased, .. } => hold(*erased && stands.erased, Promise::Landed, || {
                        format!("{key} has a dead letter where the log has {:?}", stands.identity)
                    })?,
                }
                offsets.insert(offset);
            }
            let named = offsets.first().zip(offsets.last()).map(|(first, last)| format!("{last:020}-{first:020}.parquet"));
            hold(named.as_deref() == meta.location.filename(), Promise::Landed, || format!("{key} holds offsets {offsets:?}"))?;
            covered.extend(offsets);
        }
        // What was lost when the lake had it already is landed no more.
        let missing = (0..events.len() as u64).find(|offset| !covered.contains(offset)).filter(|_| !world.bucket.is_lossy());
        hold(missing.is_none(), Promise::Landed, || format!("offset {missing:?} of partition {partition} is in no raw object"))?;
    }
    Ok(())
}
