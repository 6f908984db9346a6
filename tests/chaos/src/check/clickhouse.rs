//! ClickHouse against the lake and what clients were told.

use std::collections::{BTreeMap, BTreeSet};

use super::{Promise, Violation, delta::Version, hold, lake::State};
use crate::{port::tables::DAY, world::World};

/// Every version has its row in `commits`, in order, with its watermarks and its rows.
pub fn commits(world: &World, versions: &[Version], lake: &[State]) -> Result<(), Violation> {
    let tables = world.tables.read();
    let mut newest = None;
    for commit in &tables.commits {
        let next = newest.map_or(0, |newest: u64| newest + 1);
        hold(commit.version <= next, Promise::InOrder, || format!("version {} was settled before {next}", commit.version))?;
        newest = newest.max(Some(commit.version));
        let state = lake.get(commit.version as usize);
        hold(state.is_some_and(|state| state.watermarks == commit.watermarks), Promise::InOrder, || {
            format!("commits has {:?} for version {}, the lake {:?}", commit.watermarks, commit.version, state.map(|s| &s.watermarks))
        })?;
    }
    let last = versions.last().map(|version| version.number);
    hold(newest == last, Promise::Complete, || format!("the lake is at version {last:?}, settled is {newest:?}"))?;
    let counted = tables.counted();
    let erases = versions.iter().any(|version| version.erases);
    for commit in tables.commits.iter().filter(|commit| counted.contains(&commit.load_id)) {
        let brought: BTreeSet<_> = versions[commit.version as usize].added.iter().map(|row| row.identity.clone()).collect();
        let loaded = tables.identities_of_load(commit.load_id);
        hold(brought == loaded || (erases && loaded.is_subset(&brought)), Promise::InOrder, || {
            format!("version {} brought {} events, its load has {}", commit.version, brought.len(), loaded.len())
        })?;
    }
    Ok(())
}

/// `clicks` shows each accepted event once, and nothing that is not in the log.
pub fn shown(world: &World, promise: Promise) -> Result<(), Violation> {
    let clicks = world.tables.read().clicks();
    let told = world.told();
    let missing: Vec<_> = told.accepted.keys().filter(|identity| !clicks.contains_key(*identity)).collect();
    hold(missing.is_empty(), promise, || format!("clicks lacks {} accepted events: {:?}", missing.len(), missing.first()))?;
    let repeated = clicks.iter().find(|(_, count)| **count != 1);
    hold(repeated.is_none(), Promise::Once, || format!("clicks shows more than once: {repeated:?}"))?;
    let strange = clicks.keys().find(|identity| !told.sent.contains(*identity));
    hold(strange.is_none(), Promise::Told, || format!("clicks shows {strange:?}, which nobody sent"))
}

/// The marts have every settled event.
pub fn marts(world: &World) -> Result<(), Violation> {
    let tables = world.tables.read();
    let mut days: BTreeMap<i64, u64> = BTreeMap::new();
    for row in tables.settled() {
        *days.entry(row.occurred_at.div_euclid(DAY)).or_default() += 1;
    }
    let differs = days.iter().find(|(day, count)| tables.marts.get(*day) != Some(*count));
    hold(differs.is_none(), Promise::Complete, || format!("the marts do not have what is settled of a day: {differs:?}"))
}
