//! The view `clicks`, as `schema/clickhouse/0004_views.sql` defines it.

use std::collections::BTreeMap;

use super::tables::State;
use crate::columns::{Identity, Row};

/// µs of an hour.
const HOUR: i64 = 3_600_000_000;

impl State {
    /// How often the view shows each event.
    pub fn clicks(&self) -> BTreeMap<Identity, u32> {
        let mut shown: BTreeMap<Identity, u32> = BTreeMap::new();
        let settled: Vec<&Row> = self.settled().collect();
        for row in &settled {
            *shown.entry(row.identity.clone()).or_default() += 1;
        }
        let watermarks = self.newest().map(|c| c.watermarks.clone()).unwrap_or_default();
        let is_fresh = |row: &Row| row.offset >= watermarks.get(&format!("{}/{}", row.log_id, row.partition)).copied().unwrap_or(0);
        let fresh: Vec<&Row> = self.fresh.iter().filter(|row| is_fresh(row)).collect();
        let reach = if fresh.iter().any(|row| row.time_assigned) { 48 * HOUR } else { HOUR };
        let from = fresh.iter().map(|row| row.original_at).min().unwrap_or(0) - reach;
        let to = fresh.iter().map(|row| row.original_at).max().unwrap_or(0) + reach;
        let hidden: std::collections::BTreeSet<&Identity> =
            settled.iter().filter(|row| (from..=to).contains(&row.original_at)).map(|row| &row.identity).collect();
        // FINAL comes before the filter on offsets.
        for row in self.fresh_final().into_values() {
            if is_fresh(row) && !hidden.contains(&row.identity) {
                *shown.entry(row.identity.clone()).or_default() += 1;
            }
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
