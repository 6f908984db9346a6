//! The lake's log, read line by line as the Delta protocol writes it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::Value;

use super::{Promise, Violation};
use crate::{
    columns::{self, Identity, Row},
    port::bucket::TABLE,
    world::World,
};

/// Next offsets by `{log_id}/{partition}`.
pub type Watermarks = BTreeMap<String, u64>;

/// What one version did.
pub struct Version {
    pub number: u64,
    /// Rows of files that it added and that bring rows.
    pub added: Vec<Row>,
    /// The files that brought them.
    pub brought: Vec<String>,
    /// Files that it added, with their rows, and files that it removed.
    pub files: BTreeMap<String, Vec<Row>>,
    pub removed: Vec<String>,
    /// Watermarks of all partitions, where it says them.
    pub watermarks: Option<Watermarks>,
    /// Next offsets of its transaction ids.
    pub transactions: Watermarks,
    /// It took rows out that were to be erased.
    pub erases: bool,
    /// The list that names them, and what it says: site and id.
    pub list: Option<String>,
    pub erased: BTreeSet<Identity>,
}

/// All versions, in order, those too whose files are gone by now.
pub fn read(world: &World) -> Result<Vec<Version>, Violation> {
    let mut versions = Vec::new();
    let lake = world.bucket.lake();
    for (key, bytes) in &lake {
        let name = key.strip_prefix(TABLE).and_then(|path| path.strip_prefix("_delta_log/")?.strip_suffix(".json"));
        let Some(number) = name.and_then(|name| name.parse().ok()) else { continue };
        let wrong = |what: String| Violation::new(Promise::Watermarks, format!("version {number}: {what}"));
        let text = std::str::from_utf8(bytes).map_err(|e| wrong(e.to_string()))?;
        let mut version = Version {
            number,
            added: Vec::new(),
            brought: Vec::new(),
            files: BTreeMap::new(),
            removed: Vec::new(),
            watermarks: None,
            transactions: Watermarks::new(),
            erases: false,
            list: None,
            erased: BTreeSet::new(),
        };
        for line in text.lines() {
            let action: Value = serde_json::from_str(line).map_err(|e| wrong(e.to_string()))?;
            version.take(&lake, &action).map_err(wrong)?;
        }
        if version.erases {
            // What it adds stood in the files that it removes.
            version.added.clear();
            version.brought.clear();
        }
        versions.push(version);
    }
    let in_order = versions.iter().zip(0..).all(|(version, number)| version.number == number);
    super::hold(in_order, Promise::InOrder, || "a version of the lake is missing".to_owned())?;
    Ok(versions)
}

impl Version {
    fn take(&mut self, lake: &BTreeMap<String, Bytes>, action: &Value) -> Result<(), String> {
        let file = |path: &str| lake.get(&format!("{TABLE}{path}")).ok_or_else(|| format!("{path} was never written"));
        if let Some(path) = action["add"]["path"].as_str() {
            let rows = columns::events(file(path)?).map_err(|e| format!("{path}: {e}"))?;
            if action["add"]["dataChange"] == true {
                self.added.extend(rows.iter().cloned());
                self.brought.push(path.to_owned());
            }
            self.files.insert(path.to_owned(), rows);
        }
        if let Some(path) = action["remove"]["path"].as_str() {
            self.removed.push(path.to_owned());
        }
        if let Some(next) = action["txn"]["version"].as_u64() {
            let place = action["txn"]["appId"].as_str().and_then(|id| id.strip_prefix("clickstream/")).ok_or("a strange appId")?;
            self.transactions.insert(place.to_owned(), next);
        }
        let said = &action["commitInfo"];
        if let Some(watermarks) = said.get("clickstream.watermarks") {
            self.watermarks = Some(serde_json::from_value(watermarks.clone()).map_err(|e| e.to_string())?);
        }
        if let Some(path) = said["clickstream.erased"].as_str() {
            let listed: Vec<Value> = serde_json::from_slice(file(path)?).map_err(|e| format!("{path}: {e}"))?;
            let of = |row: &Value| Some((row["site_id"].as_str()?.to_owned(), row["event_id"].as_str()?.parse().ok()?));
            self.erased = listed.iter().filter_map(of).collect();
            (self.erases, self.list) = (true, Some(path.to_owned()));
        }
        Ok(())
    }
}
