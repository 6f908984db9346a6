//! The lake's log, read line by line as the Delta protocol writes it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Promise, Violation};
use crate::{
    columns::{self, Row},
    world::World,
};

/// Next offsets by `{log_id}/{partition}`.
pub type Watermarks = BTreeMap<String, u64>;

/// What one version did.
pub struct Version {
    pub number: u64,
    /// Rows of files that it added and that bring rows.
    pub added: Vec<Row>,
    /// Files that it added, with their rows, and files that it removed.
    pub files: BTreeMap<String, Vec<Row>>,
    pub removed: Vec<String>,
    /// Watermarks of all partitions, where it says them.
    pub watermarks: Option<Watermarks>,
    /// Next offsets of its transaction ids.
    pub transactions: Watermarks,
    /// It took rows out that were to be erased.
    pub erases: bool,
}

/// All versions, in order.
pub fn read(world: &World) -> Result<Vec<Version>, Violation> {
    let mut versions = Vec::new();
    for meta in world.bucket.list("lake/events/_delta_log/") {
        let Some(number) = meta.location.filename().and_then(|name| name.strip_suffix(".json")?.parse().ok()) else { continue };
        let wrong = |what: String| Violation::new(Promise::Watermarks, format!("version {number}: {what}"));
        let bytes = world.bucket.get(&meta.location).map_err(|e| wrong(e.to_string()))?.bytes;
        let text = std::str::from_utf8(&bytes).map_err(|e| wrong(e.to_string()))?;
        let mut version = Version {
            number,
            added: Vec::new(),
            files: BTreeMap::new(),
            removed: Vec::new(),
            watermarks: None,
            transactions: Watermarks::new(),
            erases: false,
        };
        for line in text.lines() {
            let action: Value = serde_json::from_str(line).map_err(|e| wrong(e.to_string()))?;
            version.take(world, &action).map_err(wrong)?;
        }
        versions.push(version);
    }
    let in_order = versions.iter().zip(0..).all(|(version, number)| version.number == number);
    super::hold(in_order, Promise::InOrder, || "a version of the lake is missing".to_owned())?;
    Ok(versions)
}

impl Version {
    fn take(&mut self, world: &World, action: &Value) -> Result<(), String> {
        if let Some(path) = action["add"]["path"].as_str() {
            let key = object_store::path::Path::from(format!("lake/events/{path}"));
            let bytes = world.bucket.get(&key).map_err(|e| e.to_string())?.bytes;
            let rows = columns::events(&bytes).map_err(|e| format!("{path}: {e}"))?;
            if action["add"]["dataChange"] == true {
                self.added.extend(rows.iter().cloned());
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
        self.erases |= said.get("clickstream.erased").is_some();
        Ok(())
    }
}
