//! The lake: each event once, watermarks that never pass what it does not hold.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Promise, Violation,
    delta::{Version, Watermarks},
    hold,
    logged::Logged,
};
use crate::{
    columns::{Identity, Row},
    port::log::LOG_ID,
};

/// What the lake holds as of one version.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub watermarks: Watermarks,
    pub held: BTreeSet<Identity>,
}

/// The lake as of every version.
pub fn check(versions: &[Version], logged: &Logged) -> Result<Vec<State>, Violation> {
    let mut states: Vec<State> = Vec::new();
    let mut files: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for version in versions {
        let number = version.number;
        let mut state = states.last().cloned().unwrap_or_default();
        for path in &version.removed {
            hold(files.remove(path).is_some(), Promise::Once, || format!("version {number} removes {path}, which is not there"))?;
        }
        files.extend(version.files.clone());
        let standing = std::mem::take(&mut state.held);
        for row in files.values().flatten() {
            hold(state.held.insert(row.identity.clone()), Promise::Once, || {
                format!("the lake holds {:?} twice as of version {number}", row.identity)
            })?;
        }
        let gone = standing.difference(&state.held).next();
        hold(version.erases || gone.is_none(), Promise::Complete, || format!("version {number} loses {gone:?}"))?;
        advance(version, &mut state, logged)?;
        states.push(state);
    }
    let last = states.last().cloned().unwrap_or_default();
    for (partition, events) in logged.events.iter().enumerate() {
        let (next, end) = (last.watermarks.get(&format!("{LOG_ID}/{partition}")).copied().unwrap_or(0), events.len() as u64);
        hold(next == end, Promise::Complete, || format!("the lake has partition {partition} up to {next}, the log up to {end}"))?;
    }
    let held = &last.held;
    let lost = logged.places.keys().find(|identity| !held.contains(*identity));
    hold(lost.is_none(), Promise::Complete, || format!("the lake lacks {lost:?}"))?;
    let strange = held.iter().find(|identity| !logged.places.contains_key(*identity));
    hold(strange.is_none(), Promise::Complete, || format!("the lake holds {strange:?}, which the log has not"))?;
    Ok(states)
}

/// Watermarks go on by what the version brings.
fn advance(version: &Version, state: &mut State, logged: &Logged) -> Result<(), Violation> {
    let number = version.number;
    let before = std::mem::take(&mut state.watermarks);
    let said = version.watermarks.clone().unwrap_or_else(|| before.clone());
    for (place, next) in &before {
        let now = said.get(place).copied().unwrap_or(0);
        hold(now >= *next, Promise::Watermarks, || format!("version {number} takes {place} back from {next} to {now}"))?;
    }
    for (place, next) in &said {
        let from = before.get(place).copied().unwrap_or(0);
        let transaction = version.transactions.get(place).copied().unwrap_or(from);
        hold(transaction == *next, Promise::Watermarks, || {
            format!("version {number} says {next} of {place}, its transaction {transaction}")
        })?;
        let partition: usize = place.strip_prefix(LOG_ID).and_then(|p| p.strip_prefix('/')?.parse().ok()).unwrap_or(usize::MAX);
        for offset in from..*next {
            let event = logged.events.get(partition).and_then(|events| events.get(offset as usize));
            hold(event.is_some_and(|event| state.held.contains(event)), Promise::Watermarks, || {
                format!("version {number} takes {place} past {offset}, whose event {event:?} the lake does not hold")
            })?;
        }
    }
    for row in &version.added {
        let place = format!("{}/{}", row.log_id, row.partition);
        let range = before.get(&place).copied().unwrap_or(0)..said.get(&place).copied().unwrap_or(0);
        hold(range.contains(&row.offset), Promise::Watermarks, || format!("version {number} brings {row:?} outside of {range:?}"))?;
    }
    state.watermarks = said;
    Ok(())
}
