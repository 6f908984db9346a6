//! Some rows of a day by the rules of now.

use std::collections::{BTreeMap, BTreeSet};

use clickstream_columns::{LakePart, PlacedEvent, lake_batch, write_lake_file};
use clickstream_event::{Event, Micros, rederive};
use clickstream_lake::place;

use super::{
    DayReport, Rules,
    identities::Identity,
    raw_copies::{Copies, place_of},
};
use crate::ReplayError;

/// Rows computed.
pub struct Recomputed {
    /// The day's report with them.
    pub report: DayReport,
    /// Days on which they happened, since 1970, erased ones too.
    pub happened_on: BTreeSet<i64>,
    /// Rows of erased people by `{log_id}/{partition}`.
    pub erased: BTreeMap<String, u64>,
    /// Their identities.
    pub gone: Vec<Identity>,
    /// The others as a file, if it is asked for and there are any.
    pub part: Option<LakePart>,
}

/// Computes rows, which stand in the lake's order, and counts in `report` what changes.
pub fn recompute(
    rows: Vec<PlacedEvent>,
    mut copies: Copies,
    rules: &Rules,
    report: DayReport,
    write: bool,
) -> Result<Recomputed, ReplayError> {
    let mut done = Recomputed { report, happened_on: BTreeSet::new(), erased: BTreeMap::new(), gone: Vec::new(), part: None };
    let mut kept = Vec::with_capacity(if write { rows.len() } else { 0 });
    for mut row in rows {
        done.happened_on.insert(row.event.occurred_at.0.div_euclid(Micros::DAY));
        if rules.erased.erases(&row.event) {
            done.report.erased += 1;
            *done.erased.entry(place(&row.log_id, row.log_partition)).or_default() += 1;
            done.gone.push(Identity::of(&row.event));
            continue;
        }
        done.report.rows += 1;
        if rules.request.wants(&row.event) {
            let copy = copies.remove(&place_of(&row));
            let source = if copy.is_some() { &mut done.report.from_raw } else { &mut done.report.from_lake };
            *source += 1;
            let now = by_the_rules(&row, copy, rules)?;
            if now != row.event {
                done.report.note(&row.event, &now)?;
                row.event = now;
            }
        }
        if write {
            kept.push(row);
        }
    }
    if !kept.is_empty() {
        done.part = Some(part(kept)?);
    }
    Ok(done)
}

/// The event of a row, derived from its raw copy or from the row itself.
fn by_the_rules(row: &PlacedEvent, copy: Option<Event>, rules: &Rules) -> Result<Event, ReplayError> {
    let site = rules.sites.by_id(&row.event.site_id);
    let says = rules.request.user_agent;
    let Some(copy) = copy else { return Ok(rederive(&row.event, site.as_deref(), says)) };
    if Identity::of(&copy) != Identity::of(&row.event) {
        return Err(ReplayError::OtherEvent {
            place: format!("{}/{} offset {}", row.log_id, row.log_partition, row.log_offset),
            lake: row.event.event_id,
            raw: copy.event_id,
        });
    }
    // Times are those that were computed first, whatever a raw object says by now: rows are found and ordered by them.
    let Event { original_at, occurred_at, received_at, .. } = row.event;
    Ok(Event { original_at, occurred_at, received_at, ..rederive(&copy, site.as_deref(), says) })
}

/// The rows as a file.
fn part(rows: Vec<PlacedEvent>) -> Result<LakePart, ReplayError> {
    let range = |time: fn(&Event) -> Micros| {
        let times = || rows.iter().map(|row| time(&row.event));
        (times().min().unwrap_or_default(), times().max().unwrap_or_default())
    };
    let (original_at, occurred_at) = (range(|event| event.original_at), range(|event| event.occurred_at));
    let count = rows.len() as u64;
    Ok(LakePart { bytes: write_lake_file([lake_batch(rows)])?, rows: count, original_at, occurred_at })
}
