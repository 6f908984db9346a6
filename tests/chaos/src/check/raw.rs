//! Raw objects: every offset of the log is in one, with the event that stands there.

use std::collections::BTreeSet;

use super::{Promise, Violation, hold, logged::Logged};
use crate::{
    columns::{self, RawRow},
    port::log::LOG_ID,
    world::World,
};

/// Every offset is covered, by names and by rows.
pub fn landed(world: &World, logged: &Logged) -> Result<(), Violation> {
    for (partition, events) in logged.events.iter().enumerate() {
        let mut covered = BTreeSet::new();
        for meta in world.bucket.list(&format!("raw/events/{LOG_ID}/{partition:05}/")) {
            let key = meta.location.to_string();
            let wrong = |what: String| Violation::new(Promise::Landed, format!("{key}: {what}"));
            let stored = world.bucket.get(&meta.location).map_err(|e| wrong(e.to_string()))?;
            let rows = columns::rows(&stored.bytes).map_err(|e| wrong(e.to_string()))?;
            let mut offsets = BTreeSet::new();
            for row in rows {
                let RawRow::Event(row) = row else { return Err(wrong("it has a dead letter".to_owned())) };
                let stands = events.get(row.offset as usize);
                hold(
                    row.log_id == LOG_ID && row.partition as usize == partition && stands == Some(&row.identity),
                    Promise::Landed,
                    || format!("{key} has {row:?} where the log has {stands:?}"),
                )?;
                offsets.insert(row.offset);
            }
            let named = offsets.first().zip(offsets.last()).map(|(first, last)| format!("{last:020}-{first:020}.parquet"));
            hold(named.as_deref() == meta.location.filename(), Promise::Landed, || format!("{key} holds offsets {offsets:?}"))?;
            covered.extend(offsets);
        }
        let missing = (0..events.len() as u64).find(|offset| !covered.contains(offset));
        hold(missing.is_none(), Promise::Landed, || format!("offset {missing:?} of partition {partition} is in no raw object"))?;
    }
    Ok(())
}
