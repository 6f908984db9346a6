//! The lake as it lies on disk, read line by line as the Delta protocol writes it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::Path,
};

use arrow::array::AsArray as _;
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};
use serde_json::Value;
use uuid::Uuid;

use super::files::files;

/// What the newest version holds.
pub struct Held {
    /// Its number.
    pub version: u64,
    /// How often each event.
    pub events: BTreeMap<Uuid, u32>,
}

/// Reads every version under `folder`, in order, and looks at their watermarks.
///
/// # Panics
/// If a version is missing or takes a watermark back.
pub fn held(folder: &Path) -> Held {
    let is_version = |name: &str| name.len() == 25 && name.strip_suffix(".json").is_some_and(|number| number.parse::<u64>().is_ok());
    let all = files(folder);
    let in_log = all.iter().filter(|path| path.parent().is_some_and(|parent| parent.ends_with("lake/events/_delta_log")));
    let versions: BTreeSet<_> = in_log.filter(|path| path.file_name().and_then(|n| n.to_str()).is_some_and(is_version)).collect();
    let (mut standing, mut watermarks) = (BTreeSet::new(), BTreeMap::new());
    for (number, path) in versions.iter().enumerate() {
        let name = format!("{number:020}.json");
        assert_eq!(path.file_name().and_then(|n| n.to_str()), Some(&*name), "a version is missing");
        for line in fs::read_to_string(path).expect("a version is text").lines() {
            let action: Value = serde_json::from_str(line).expect("an action is JSON");
            if let Some(path) = action["add"]["path"].as_str() {
                standing.insert(path.to_owned());
            }
            if let Some(path) = action["remove"]["path"].as_str() {
                standing.remove(path);
            }
            if let Some(said) = action["commitInfo"].get("clickstream.watermarks") {
                let said: BTreeMap<String, u64> = serde_json::from_value(said.clone()).expect("watermarks");
                let back = watermarks.iter().find(|(place, next)| said.get(*place).is_none_or(|now| now < *next));
                assert!(back.is_none(), "version {number} takes {back:?} back: {said:?}");
                watermarks = said;
            }
        }
    }
    let table = versions.first().and_then(|path| path.parent()?.parent()).expect("there is a lake");
    let mut events = BTreeMap::new();
    for path in &standing {
        count(&table.join(path), &mut events);
    }
    Held { version: versions.len() as u64 - 1, events }
}

fn count(path: &Path, events: &mut BTreeMap<Uuid, u32>) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).expect("a file that a version names")).expect("Parquet");
    let mask = ProjectionMask::columns(reader.parquet_schema(), ["event_id"]);
    for batch in reader.with_projection(mask).build().expect("a file of the lake is whole") {
        let batch = batch.expect("a file of the lake is whole");
        for id in batch.column(0).as_string::<i32>().iter().flatten() {
            *events.entry(id.parse().expect("a UUID")).or_default() += 1;
        }
    }
}
