//! What whoever asks ClickHouse sees, at every moment of the run.

use std::collections::BTreeSet;

use super::{Promise, Violation, hold};
use crate::{columns::Identity, port::tables::Tables};

/// What was seen so far.
#[derive(Default)]
pub struct Watch {
    shown: BTreeSet<Identity>,
    changes: u64,
}

impl Watch {
    /// No event is shown twice, and none that was shown is gone.
    pub fn look(&mut self, tables: &Tables) -> Result<(), Violation> {
        if tables.changes() == self.changes {
            return Ok(());
        }
        self.changes = tables.changes();
        let clicks = tables.read().clicks();
        if let Some((identity, count)) = clicks.iter().find(|(_, count)| **count > 1) {
            return Err(Violation::new(Promise::Once, format!("clicks shows {identity:?} {count} times")));
        }
        let gone = self.shown.iter().find(|identity| !clicks.contains_key(*identity));
        hold(gone.is_none(), Promise::NoHole, || format!("clicks showed {gone:?} before and does not now"))?;
        self.shown.extend(clicks.into_keys());
        Ok(())
    }
}
