//! The ledger as it was kept last, against what is counted here.

use std::collections::BTreeMap;

use super::{Promise, Violation, hold, lake::Lake, logged::Logged};
use crate::{port::log::LOG_ID, world::World};

/// Every record of every partition is settled, a repeat, or erased, and the ledger says how many of each.
pub fn check(world: &World, logged: &Logged, lake: &Lake) -> Result<(), Violation> {
    let tables = world.tables.read();
    let mut settled: BTreeMap<u32, u64> = BTreeMap::new();
    for row in &lake.rows {
        *settled.entry(row.partition).or_default() += 1;
    }
    for (partition, records) in (0..).zip(&logged.events) {
        let row = tables.ledger.iter().find(|row| row.topic == "events" && row.log_id == LOG_ID && row.log_partition == partition);
        let row = row.ok_or_else(|| Violation::new(Promise::Accounted, format!("the ledger has no partition {partition}")))?;
        let (all, settled) = (records.len() as u64, settled.get(&partition).copied().unwrap_or(0));
        let erased = records.iter().filter(|record| record.erased).count() as u64;
        let says = [row.logged, row.stored, row.landed, row.settled, row.loaded];
        hold(says == [all, all, all, settled, settled], Promise::Accounted, || {
            format!("partition {partition} has {all} records and {settled} settled events, the ledger says {row:?}")
        })?;
        let nothing = [row.dead_letters, row.missing, row.pending, row.unaccounted.unsigned_abs()];
        hold(nothing == [0; 4], Promise::Accounted, || format!("nothing is lost, and the ledger says {row:?}"))?;
        hold(row.settled + row.duplicates + row.erased == all, Promise::Accounted, || format!("{row:?} does not add up to {all}"))?;
        hold(row.erased <= erased, Promise::Accounted, || format!("{erased} records are erased, the ledger says {row:?}"))?;
    }
    Ok(())
}
