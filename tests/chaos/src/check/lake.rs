//! The lake: each event once, watermarks that never pass what it does not hold.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Promise, Violation,
    delta::{Version, Watermarks},
    hold,
    logged::{Fate, Logged},
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

/// The lake as of every version, and the rows of the newest.
pub struct Lake {
    pub states: Vec<State>,
    pub rows: Vec<Row>,
}

/// Reads what every version did to the one before it.
pub fn check(versions: &[Version], logged: &Logged) -> Result<Lake, Violation> {
    let mut states: Vec<State> = Vec::new();
    let mut files: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for version in versions {
        let number = version.number;
        let mut state = states.last().cloned().unwrap_or_default();
        let mut taken = Vec::new();
        for path in &version.removed {
            let rows = files.remove(path);
            hold(rows.is_some(), Promise::Once, || format!("version {number} removes {path}, which is not there"))?;
            taken.extend(rows.unwrap_or_default());
        }
        files.extend(version.files.clone());
        rewritten(version, &taken, logged)?;
        let standing = std::mem::take(&mut state.held);
        for row in files.values().flatten() {
            hold(state.held.insert(row.identity.clone()), Promise::Once, || {
                format!("the lake holds {:?} twice as of version {number}", row.identity)
            })?;
        }
        let gone: Vec<_> = standing.difference(&state.held).collect();
        hold(version.erases || gone.is_empty(), Promise::Complete, || format!("version {number} loses {:?}", gone.first()))?;
        let stays = gone.iter().find(|identity| logged.fate(identity) == Fate::Stays);
        hold(stays.is_none(), Promise::Forgotten, || format!("version {number} takes {stays:?} out, which nobody asked for"))?;
        advance(version, &mut state, logged)?;
        states.push(state);
    }
    let rows: Vec<Row> = files.into_values().flatten().collect();
    complete(states.last().cloned().unwrap_or_default(), &rows, logged)?;
    Ok(Lake { states, rows })
}

/// A version that replaces files has the same rows in them, without those that it says are erased.
fn rewritten(version: &Version, taken: &[Row], logged: &Logged) -> Result<(), Violation> {
    if taken.is_empty() {
        return Ok(());
    }
    let number = version.number;
    let by_place = |rows: &mut Vec<Row>| rows.sort_by_key(|row| (row.partition, row.offset));
    let mut left: Vec<Row> = taken.iter().filter(|row| !version.erased.contains(&row.identity)).cloned().collect();
    let mut put: Vec<Row> = version.files.values().flatten().cloned().collect();
    by_place(&mut left);
    by_place(&mut put);
    let differs = left.iter().zip(&put).find(|(left, put)| left != put);
    hold(left.len() == put.len() && differs.is_none(), Promise::Unchanged, || {
        format!("version {number} puts {} rows in place of {}: {differs:?}", put.len(), left.len())
    })?;
    let strange = taken.iter().find(|row| version.erased.contains(&row.identity) && !logged.forgotten.covers_row(row));
    hold(strange.is_none(), Promise::Forgotten, || format!("version {number} erases {strange:?}, which nobody asked for"))
}

/// In the end it has everything that is in the log and not erased, and nothing else.
fn complete(last: State, rows: &[Row], logged: &Logged) -> Result<(), Violation> {
    for (partition, events) in logged.events.iter().enumerate() {
        let (next, end) = (last.watermarks.get(&format!("{LOG_ID}/{partition}")).copied().unwrap_or(0), events.len() as u64);
        hold(next == end, Promise::Complete, || format!("the lake has partition {partition} up to {next}, the log up to {end}"))?;
    }
    let held = &last.held;
    let lost = logged.places.keys().find(|identity| logged.fate(identity) == Fate::Stays && !held.contains(*identity));
    hold(lost.is_none(), Promise::Complete, || format!("the lake lacks {lost:?}"))?;
    let strange = held.iter().find(|identity| !logged.places.contains_key(*identity));
    hold(strange.is_none(), Promise::Complete, || format!("the lake holds {strange:?}, which the log has not"))?;
    let erased = rows.iter().find(|row| logged.forgotten.covers_row(row));
    hold(erased.is_none(), Promise::Forgotten, || format!("the lake holds {erased:?}, which is erased"))
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
            let record = logged.events.get(partition).and_then(|events| events.get(offset as usize));
            let is_held = |identity| state.held.contains(identity) || logged.fate(identity) != Fate::Stays;
            hold(record.is_some_and(|record| is_held(&record.identity)), Promise::Watermarks, || {
                let event = record.map(|record| &record.identity);
                format!("version {number} takes {place} past {offset}, whose event {event:?} the lake does not hold")
            })?;
        }
    }
    for row in &version.added {
        let range = before.get(&row.place()).copied().unwrap_or(0)..said.get(&row.place()).copied().unwrap_or(0);
        hold(range.contains(&row.offset), Promise::Watermarks, || format!("version {number} brings {row:?} outside of {range:?}"))?;
    }
    state.watermarks = said;
    Ok(())
}
