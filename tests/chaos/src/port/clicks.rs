//! The view `clicks`, as `schema/clickhouse/0004_views.sql` defines it.

use std::collections::{BTreeMap, BTreeSet};

use super::tables::State;
use crate::columns::{Identity, Row};

/// µs of an hour.
const HOUR: i64 = 3_600_000_000;

impl State {
    /// The rows that the view shows.
    pub fn shown(&self) -> Vec<&Row> {
        let settled: Vec<&Row> = self.settled().collect();
        let watermarks = self.newest().map(|c| c.watermarks.clone()).unwrap_or_default();
        let is_fresh = |row: &Row| row.offset >= watermarks.get(&row.place()).copied().unwrap_or(0);
        let fresh: Vec<&Row> = self.fresh.iter().filter(|row| is_fresh(row)).collect();
        let reach = if fresh.iter().any(|row| row.time_assigned) { 48 * HOUR } else { HOUR };
        let from = fresh.iter().map(|row| row.original_at).min().unwrap_or(0) - reach;
        let to = fresh.iter().map(|row| row.original_at).max().unwrap_or(0) + reach;
        let hidden: BTreeSet<&Identity> =
            settled.iter().filter(|row| (from..=to).contains(&row.original_at)).map(|row| &row.identity).collect();
        // FINAL comes before the filter on offsets.
        let shown = self.fresh_final().into_values().filter(|row| is_fresh(row) && !hidden.contains(&row.identity));
        settled.iter().copied().chain(shown).collect()
    }

    /// How often the view shows each event.
    pub fn clicks(&self) -> BTreeMap<Identity, u32> {
        let mut shown: BTreeMap<Identity, u32> = BTreeMap::new();
        for row in self.shown() {
            *shown.entry(row.identity.clone()).or_default() += 1;
        }
        shown
    }

    /// `fresh FINAL`: of each event the copy received first, then the lowest place.
    fn fresh_final(&self) -> BTreeMap<&Identity, &Row> {
        let order = |row: &Row| (row.received_at, row.partition, row.offset);
        let mut kept: BTreeMap<&Identity, &Row> = BTreeMap::new();
        for row in &self.fresh {
            let standing = kept.entry(&row.identity).or_insert(row);
            if order(row) < order(standing) {
                *standing = row;
            }
        }
        kept
    }
}
