//! Receipts of erasures against what was asked, tombstones, and what the stores hold.

use std::collections::{BTreeMap, BTreeSet};

use object_store::path::Path;
use serde_json::Value;

use super::{
    Promise, Violation,
    delta::Version,
    forgotten::{Forgotten, KINDS, Key},
    hold,
    logged::{Logged, micros},
};
use crate::{traffic::Person, world::World};

/// A receipt, read.
struct Receipt {
    key: String,
    site: String,
    erased_at: i64,
    /// Kind and hash of each id.
    persons: BTreeSet<(&'static str, String)>,
    body: Value,
}

fn wrong(key: &str, what: impl std::fmt::Display) -> Violation {
    Violation::new(Promise::Receipt, format!("{key}: {what}"))
}

impl Receipt {
    fn read(world: &World, key: &str) -> Result<Self, Violation> {
        let bytes = world.bucket.get(&Path::from(key)).map_err(|e| wrong(key, e))?.bytes;
        let body: Value = serde_json::from_slice(&bytes).map_err(|e| wrong(key, e))?;
        let person = |person: &Value| {
            let kind = KINDS.into_iter().find(|kind| person["kind"] == *kind)?;
            Some((kind, person["hash"].as_str()?.to_owned()))
        };
        let persons = body["persons"].as_array().into_iter().flatten().filter_map(person).collect();
        let erased_at = body["erased_at"].as_str().and_then(micros).ok_or_else(|| wrong(key, "no erased_at"))?;
        let site = body["site_id"].as_str().unwrap_or_default().to_owned();
        Ok(Self { key: key.to_owned(), site, erased_at, persons, body })
    }

    fn named(&self) -> impl Iterator<Item = ((String, &'static str, String), i64)> {
        self.persons.iter().map(|(kind, hash)| ((self.site.clone(), *kind, hash.clone()), self.erased_at))
    }

    fn removed(&self, name: &str) -> u64 {
        self.body["removed"][name].as_u64().unwrap_or(u64::MAX)
    }

    fn keys(&self, name: &str) -> impl Iterator<Item = &str> {
        self.body[name].as_array().into_iter().flatten().filter_map(Value::as_str)
    }
}

/// Whom these receipts call erased.
pub fn named(world: &World, keys: &[String]) -> Result<Forgotten, Violation> {
    let mut of = BTreeMap::new();
    for key in keys {
        for (who, at) in Receipt::read(world, key)?.named() {
            let newest = of.entry(who).or_insert(at);
            *newest = at.max(*newest);
        }
    }
    Forgotten::only(world, of)
}

/// Every erasure that was answered for has its receipt, and each receipt is true.
pub fn check(world: &World, logged: &Logged, versions: &[Version]) -> Result<(), Violation> {
    let left = world.bucket.keys("erasures/pending/");
    hold(left.is_empty(), Promise::Forgotten, || format!("erasures are not done: {left:?}"))?;
    let key = logged.forgotten.key();
    let mut receipts = BTreeMap::new();
    for name in world.receipts() {
        let receipt = Receipt::read(world, &name)?;
        signed(world, key, &name)?;
        tombstones(logged, &receipt)?;
        removed(world, &receipt, versions)?;
        names_nobody(world, &name)?;
        receipts.insert(receipt.body["erasure_id"].as_str().unwrap_or_default().to_owned(), receipt);
    }
    for asked in &world.told().erasures {
        let receipt = receipts.get(&asked.erasure.to_string());
        let receipt = receipt.ok_or_else(|| Violation::new(Promise::Receipt, format!("{asked:?} has no receipt")))?;
        let (kind, id) = match asked.person {
            Person::User(id) => ("user", id),
            Person::Visitor(id) => ("anonymous", id),
        };
        let hash = key.hash(asked.site, kind, id);
        hold(receipt.site == asked.site && receipt.persons.contains(&(kind, hash.clone())), Promise::Receipt, || {
            format!("{asked:?} is not whom {} is about", receipt.key)
        })?;
        linked(logged, receipt, asked.site, kind, id, &hash)?;
    }
    Ok(())
}

/// The receipt's last field signs what stands before it.
fn signed(world: &World, key: &Key, name: &str) -> Result<(), Violation> {
    let bytes = world.bucket.get(&Path::from(name)).map_err(|e| wrong(name, e))?.bytes;
    let text = String::from_utf8_lossy(&bytes);
    let (before, rest) = text.rsplit_once(",\"signature\":\"").ok_or_else(|| wrong(name, "no signature"))?;
    let holds = rest.strip_suffix("\"}") == Some(key.signature(before.as_bytes()).as_str());
    hold(holds, Promise::Receipt, || format!("{name} is not signed by the bucket's key"))
}

/// Each id that it names is forgotten as of its moment, or of a later one.
fn tombstones(logged: &Logged, receipt: &Receipt) -> Result<(), Violation> {
    let stands = |(kind, hash): &&(&'static str, String)| logged.forgotten.has(&receipt.site, kind, hash, receipt.erased_at);
    let lacking = receipt.persons.iter().find(|person| !stands(person));
    hold(lacking.is_none(), Promise::Forgotten, || format!("{}: no tombstone of {lacking:?} stands", receipt.key))
}

/// Beside the one that was asked for, it is about visitors who stand with that user in some event.
fn linked(logged: &Logged, receipt: &Receipt, site: &str, kind: &str, id: &str, hash: &str) -> Result<(), Violation> {
    let of_site = logged.events.iter().flatten().filter(|record| record.identity.0 == site);
    let theirs: BTreeSet<String> = of_site
        .filter(|record| kind == "user" && record.user.as_deref() == Some(id))
        .filter_map(|record| Some(logged.forgotten.key().hash(site, "anonymous", record.anonymous.as_deref()?)))
        .collect();
    let strange = receipt.persons.iter().find(|(_, other)| other != hash && !theirs.contains(other));
    hold(strange.is_none(), Promise::Receipt, || format!("{} is about {strange:?}, who is not {id}", receipt.key))
}

/// It says no more than went, and what it says of the lake is so: from its version on no row of theirs stands.
fn removed(world: &World, receipt: &Receipt, versions: &[Version]) -> Result<(), Violation> {
    let theirs = Forgotten::only(world, receipt.named().collect())?;
    let since = receipt.body["lake_version"].as_u64().unwrap_or(u64::MAX);
    let mut taken = 0;
    let mut files: BTreeMap<&str, u64> = BTreeMap::new();
    for version in versions {
        let rows = |path: &str| version.files.get(path).map_or(0, |rows| rows.iter().filter(|row| theirs.covers_row(row)).count() as u64);
        let before: u64 = version.removed.iter().filter_map(|path| files.remove(path.as_str())).sum();
        let after: u64 = version.files.keys().map(|path| rows(path)).sum();
        files.extend(version.files.keys().map(|path| (path.as_str(), rows(path))));
        if version.erases {
            taken += before.saturating_sub(after);
        }
        let held: u64 = files.values().sum();
        hold(version.number < since || held == 0, Promise::Receipt, || {
            format!("{} calls version {since} free of them, and version {} holds {held} rows", receipt.key, version.number)
        })?;
    }
    let lake_rows = receipt.removed("lake_rows");
    let whole = receipt.body["cut_off"] == 0;
    // Two erasures of one person share what goes.
    hold(lake_rows <= taken && (!whole || lake_rows == taken || world.receipts().len() > 1), Promise::Receipt, || {
        format!("{} says {lake_rows} rows went from the lake, {taken} did", receipt.key)
    })?;
    let left = receipt.body["left"].as_array().map_or(1, Vec::len);
    hold(left == 0, Promise::Receipt, || format!("{} leaves {}", receipt.key, receipt.body["left"]))?;
    let stands = receipt.keys("deleted").find(|key| world.bucket.written(key).is_some());
    hold(stands.is_none(), Promise::Receipt, || format!("{} calls {stands:?} removed", receipt.key))
}

/// When an erasure is done, nothing that it wrote names anybody.
fn names_nobody(world: &World, name: &str) -> Result<(), Violation> {
    let folder = name.trim_end_matches("receipt.json");
    for key in world.bucket.keys(folder) {
        let bytes = world.bucket.get(&Path::from(key.as_str())).map_err(|e| wrong(&key, e))?.bytes;
        let text = String::from_utf8_lossy(&bytes);
        let named = ["user-1", "user-2", "visitor-"].into_iter().find(|id| text.contains(id));
        hold(named.is_none(), Promise::Forgotten, || format!("{key} names {named:?}"))?;
    }
    Ok(())
}
