//! Ids that the lake holds already, looked for in the files whose hours the new rows touch.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use arrow::array::AsArray as _;
use clickstream_columns::{ColumnsError, read_columns};
use clickstream_event::Micros;
use clickstream_lake::{Lake, LakeFile};
use uuid::Uuid;

use crate::{CompactError, rows::Row};

/// Ids remembered between runs, so that recent files are not read again (8 bytes each).
const REMEMBERED: usize = 6_000_000;

/// A short form of an identity: ids are random, so two of them meet once in 2^64; a meeting is checked in the file.
fn short(site: &str, id: Uuid) -> u64 {
    let (high, low) = id.as_u64_pair();
    let site = site.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    high.rotate_left(17) ^ low ^ site
}

/// Short ids per file, newest files last.
#[derive(Default)]
struct Memory {
    order: Vec<String>,
    files: HashMap<String, Arc<Vec<u64>>>,
    held: usize,
}

/// Finds known ids; remembers those of recent files.
#[derive(Default)]
pub struct Known(Mutex<Memory>);

impl Known {
    /// Identities among `rows` that `files` of the lake hold.
    pub async fn among(&self, rows: &[Row], lake: &Lake, files: &[LakeFile]) -> Result<HashSet<(String, Uuid)>, CompactError> {
        let hours = touched_hours(rows);
        let wanted: HashSet<u64> = rows.iter().map(|r| short(&r.site_id, r.event_id)).collect();
        let exact: HashSet<(&str, Uuid)> = rows.iter().map(Row::identity).collect();
        let mut known = HashSet::new();
        for file in files.iter().filter(|f| touches(f, &hours)) {
            if let Some(ids) = self.recall(&file.path)
                && !ids.iter().any(|id| wanted.contains(id))
            {
                continue;
            }
            let ids = identities(lake, file).await?;
            self.remember(&file.path, ids.iter().map(|(site, id)| short(site, *id)).collect());
            known.extend(ids.into_iter().filter(|(site, id)| exact.contains(&(site.as_str(), *id))));
        }
        Ok(known)
    }

    /// Remembers the rows of a file that was just written.
    pub fn wrote(&self, path: &str, rows: &[Row]) {
        self.remember(path, rows.iter().map(|r| short(&r.site_id, r.event_id)).collect());
    }

    fn recall(&self, path: &str) -> Option<Arc<Vec<u64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).files.get(path).cloned()
    }

    fn remember(&self, path: &str, ids: Vec<u64>) {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.files.contains_key(path) || ids.len() > REMEMBERED {
            return;
        }
        memory.held += ids.len();
        memory.order.push(path.to_owned());
        memory.files.insert(path.to_owned(), Arc::new(ids));
        while memory.held > REMEMBERED {
            let oldest = memory.order.remove(0);
            if let Some(ids) = memory.files.remove(&oldest) {
                memory.held -= ids.len();
            }
        }
    }
}

/// Hours (since 1970) in which an earlier copy of a row may lie: its own ± 1, ± 48 where the client gave no time.
fn touched_hours(rows: &[Row]) -> BTreeSet<i64> {
    let mut hours = BTreeSet::new();
    for row in rows {
        let hour = row.original_at.div_euclid(Micros::HOUR);
        let reach = if row.time_assigned { 48 } else { 1 };
        hours.extend(hour - reach..=hour + reach);
    }
    hours
}

fn touches(file: &LakeFile, hours: &BTreeSet<i64>) -> bool {
    let from = file.original_at_min.0.div_euclid(Micros::HOUR);
    let to = file.original_at_max.0.div_euclid(Micros::HOUR);
    hours.range(from..=to).next().is_some()
}

async fn identities(lake: &Lake, file: &LakeFile) -> Result<Vec<(String, Uuid)>, CompactError> {
    let bytes = lake.read_file(&file.path).await?;
    let mut identities = Vec::with_capacity(file.rows as usize);
    for batch in read_columns(bytes, &["event_id", "site_id"])? {
        let column =
            |name: &'static str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>()).ok_or(ColumnsError::Column(name));
        let (ids, sites) = (column("event_id")?, column("site_id")?);
        for (id, site) in ids.iter().zip(sites) {
            if let (Some(id), Some(site)) = (id.and_then(|i| i.parse().ok()), site) {
                identities.push((site.to_owned(), id));
            }
        }
    }
    Ok(identities)
}
