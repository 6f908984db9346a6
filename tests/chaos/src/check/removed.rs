//! Files of the lake that went: none that was needed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Promise, Violation, delta::Version, hold};
use crate::{
    port::bucket::{Removed, TABLE},
    world::World,
};

/// At the moment at which each went, no reader of the newest version needed it, and nobody who is behind: settle needs what
/// versions brought that are not settled, and the log from the newest checkpoint on that stands for what went.
pub fn check(world: &World, versions: &[Version]) -> Result<(), Violation> {
    let mut brought: BTreeMap<&str, u64> = BTreeMap::new();
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    for version in versions {
        brought.extend(version.brought.iter().map(|path| (path.as_str(), version.number)));
        brought.extend(version.list.iter().map(|path| (path.as_str(), version.number)));
        ends.extend(version.removed.iter().map(|path| (path.as_str(), version.number)));
    }
    let begins: BTreeMap<&str, u64> =
        versions.iter().flat_map(|version| version.files.keys().map(|path| (path.as_str(), version.number))).collect();
    for removed in world.bucket.removed() {
        let Removed { key, versions: count, done, checkpoints } = &removed;
        let path = &key[TABLE.len()..];
        let is_done = |version: u64| done.is_some_and(|done| version <= done);
        if let Some(version) = path.strip_prefix("_delta_log/").and_then(|name| name.strip_suffix(".json")?.parse::<u64>().ok()) {
            let stands_for = checkpoints.iter().any(|checkpoint| version < *checkpoint && is_done(*checkpoint));
            hold(stands_for, Promise::Kept, || format!("{key} went, no checkpoint of what is settled stands for it: {removed:?}"))?;
            continue;
        }
        if let Some(begins) = begins.get(path).filter(|begins| **begins < *count) {
            let is_over = ends.get(path).is_some_and(|ends| *ends < *count);
            hold(is_over, Promise::Kept, || format!("{key} of version {begins} went while the newest version had it: {removed:?}"))?;
        }
        if let Some(version) = brought.get(path).filter(|version| **version < *count) {
            hold(is_done(*version), Promise::Kept, || format!("{key} went before version {version} was settled: {removed:?}"))?;
        }
    }
    standing(world, &begins, &ends)
}

/// Every file of the newest version stands.
fn standing(world: &World, begins: &BTreeMap<&str, u64>, ends: &BTreeMap<&str, u64>) -> Result<(), Violation> {
    let live: BTreeSet<&str> = begins.keys().filter(|path| !ends.contains_key(*path)).copied().collect();
    let missing = live.iter().find(|path| world.bucket.written(&format!("{TABLE}{path}")).is_none());
    hold(missing.is_none(), Promise::Kept, || format!("the newest version names {missing:?}, which is not there"))
}
