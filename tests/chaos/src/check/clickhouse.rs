//! ClickHouse against the lake and what clients were told.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Promise, Violation,
    delta::Version,
    hold,
    lake::Lake,
    logged::{Fate, Logged},
};
use crate::{port::tables::DAY, world::World};

/// Every version has its row in `commits`, in order, with its watermarks and its rows; all of them together are the lake's.
pub fn commits(world: &World, versions: &[Version], lake: &Lake, logged: &Logged) -> Result<(), Violation> {
    let tables = world.tables.read();
    let mut newest = None;
    for commit in &tables.commits {
        let next = newest.map_or(0, |newest: u64| newest + 1);
        hold(commit.version <= next || tables.exchanged, Promise::InOrder, || {
            format!("version {} was settled before {next}", commit.version)
        })?;
        newest = newest.max(Some(commit.version));
        let state = lake.states.get(commit.version as usize);
        hold(state.is_some_and(|state| state.watermarks == commit.watermarks), Promise::InOrder, || {
            format!("commits has {:?} for version {}, the lake {:?}", commit.watermarks, commit.version, state.map(|s| &s.watermarks))
        })?;
    }
    let last = versions.last().map(|version| version.number);
    hold(newest == last, Promise::Complete, || format!("the lake is at version {last:?}, settled is {newest:?}"))?;
    let counted = tables.counted();
    // Once it was restored, all of the lake's rows stand under one load.
    let loads = tables.commits.iter().filter(|commit| counted.contains(&commit.load_id) && !tables.exchanged);
    for commit in loads {
        let brought: BTreeSet<_> = versions[commit.version as usize].added.iter().map(|row| row.identity.clone()).collect();
        let loaded = tables.identities_of_load(commit.load_id);
        let is_right = loaded.is_subset(&brought) && brought.difference(&loaded).all(|lost| logged.fate(lost) != Fate::Stays);
        hold(is_right, Promise::InOrder, || {
            format!("version {} brought {} events, its load has {}", commit.version, brought.len(), loaded.len())
        })?;
    }
    let mut settled: Vec<_> = tables.settled().map(|row| (&row.identity, row.partition, row.offset)).collect();
    let mut held: Vec<_> = lake.rows.iter().map(|row| (&row.identity, row.partition, row.offset)).collect();
    settled.sort();
    held.sort();
    let differs = settled.iter().zip(&held).find(|(settled, held)| settled != held);
    hold(settled.len() == held.len() && differs.is_none(), Promise::Complete, || {
        format!("{} rows are settled, the lake has {}: {differs:?}", settled.len(), held.len())
    })
}

/// `clicks` shows each accepted event once, and nothing that is not in the log; when all is `done`, nothing that is erased.
pub fn shown(world: &World, logged: &Logged, promise: Promise, done: bool) -> Result<(), Violation> {
    let tables = world.tables.read();
    let (clicks, told) = (tables.clicks(), world.told());
    let stays = |identity: &&crate::columns::Identity| logged.fate(identity) == Fate::Stays;
    let missing: Vec<_> = told.accepted.keys().filter(|identity| !clicks.contains_key(*identity)).filter(stays).collect();
    // What `events` lost is restored once every version is settled.
    let restored = done || !tables.damaged;
    hold(missing.is_empty() || !restored, promise, || format!("clicks lacks {} accepted events: {:?}", missing.len(), missing.first()))?;
    let missing = logged.places.keys().filter(stays).find(|identity| !clicks.contains_key(*identity));
    hold(missing.is_none() || !restored, promise, || format!("clicks lacks {missing:?}, which is in the log"))?;
    let repeated = clicks.iter().find(|(_, count)| **count != 1);
    hold(repeated.is_none(), Promise::Once, || format!("clicks shows more than once: {repeated:?}"))?;
    let strange = clicks.keys().find(|identity| !told.sent.contains(*identity));
    hold(strange.is_none(), Promise::Told, || format!("clicks shows {strange:?}, which nobody sent"))
}

/// No row of either table is erased, shown or not.
pub fn forgotten(world: &World, logged: &Logged) -> Result<(), Violation> {
    let tables = world.tables.read();
    let erased = tables.everything().find(|row| logged.forgotten.covers_row(row));
    hold(erased.is_none(), Promise::Forgotten, || format!("ClickHouse holds {erased:?}, which is erased"))
}

/// The marts have every settled event, and no other.
pub fn marts(world: &World) -> Result<(), Violation> {
    let tables = world.tables.read();
    let mut days: BTreeMap<i64, u64> = tables.marts.keys().map(|day| (*day, 0)).collect();
    for row in tables.settled() {
        *days.entry(row.occurred_at.div_euclid(DAY)).or_default() += 1;
    }
    let differs = days.iter().find(|(day, count)| tables.marts.get(*day) != Some(*count));
    hold(differs.is_none(), Promise::Complete, || format!("the marts do not have what is settled of a day: {differs:?}"))
}
