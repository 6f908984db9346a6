//! What whoever asks ClickHouse sees, at every moment of the run.

use std::collections::BTreeSet;

use super::{Promise, Violation, forgotten::Forgotten, hold, logged, receipts};
use crate::{columns::Identity, world::World};

/// What was seen so far.
#[derive(Default)]
pub struct Watch {
    shown: BTreeSet<Identity>,
    /// Whom receipts call erased.
    forgotten: Option<Forgotten>,
    receipts: usize,
    changes: u64,
}

impl Watch {
    /// No event is shown twice; none that was shown is gone, unless a tombstone covers it; and none that a receipt calls
    /// erased is shown again.
    pub fn look(&mut self, world: &World) -> Result<(), Violation> {
        let tables = &world.tables;
        if tables.changes() == self.changes {
            return Ok(());
        }
        self.changes = tables.changes();
        self.read_receipts(world)?;
        let state = tables.read();
        let clicks = state.clicks();
        if let Some((identity, count)) = clicks.iter().find(|(_, count)| **count > 1) {
            return Err(Violation::new(Promise::Once, format!("clicks shows {identity:?} {count} times")));
        }
        if let Some(forgotten) = &self.forgotten {
            let back = state.shown().into_iter().find(|row| forgotten.covers_row(row));
            hold(back.is_none(), Promise::Forgotten, || format!("clicks shows {back:?} after the receipt of its erasure"))?;
        }
        // What ClickHouse itself lost may be missed until it is restored.
        let gone: Vec<&Identity> = self.shown.iter().filter(|identity| !clicks.contains_key(*identity)).collect();
        if !gone.is_empty() && !state.lossy {
            let log = logged::read(world)?;
            let lost = gone.iter().find(|identity| log.fate(identity) == logged::Fate::Stays);
            hold(lost.is_none(), Promise::NoHole, || format!("clicks showed {lost:?} before and does not now"))?;
        }
        self.shown.retain(|identity| clicks.contains_key(identity));
        self.shown.extend(clicks.into_keys());
        Ok(())
    }

    fn read_receipts(&mut self, world: &World) -> Result<(), Violation> {
        let standing = world.receipts();
        if standing.len() != self.receipts {
            self.receipts = standing.len();
            self.forgotten = Some(receipts::named(world, &standing)?);
        }
        Ok(())
    }
}
