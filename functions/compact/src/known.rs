//! Ids that the lake holds already, looked for in the files whose hours the new rows touch.

use std::{
    collections::{BTreeSet, HashMap},
    hash::RandomState,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::array::{AsArray as _, RecordBatch};
use clickstream_columns::ColumnsError;
use clickstream_event::Micros;
use clickstream_lake::{Lake, LakeFile};
use uuid::Uuid;

use crate::{CompactError, part::identity_hash, rows::Rows};

/// Ids remembered between runs, so that recent files are not read again (8 bytes each).
const REMEMBERED: usize = 6_000_000;

/// Hashes of identities per file, newest files last. Two identities meet in one about once in 2^64 pairs, so that a
/// meeting is checked in the file.
#[derive(Default)]
struct Memory {
    order: Vec<String>,
    files: HashMap<String, Arc<Vec<u64>>>,
    held: usize,
}

/// Finds known ids; remembers those of recent files.
#[derive(Default)]
pub struct Known {
    state: RandomState,
    memory: Mutex<Memory>,
}

impl Known {
    /// What identities are hashed with, here and in [`Rows`].
    pub fn state(&self) -> &RandomState {
        &self.state
    }

    /// Leaves out the rows that `files` of the lake hold.
    pub async fn leave_out(&self, rows: &mut Rows, lake: &Arc<Lake>, files: &[LakeFile]) -> Result<(), CompactError> {
        let hours = rows.hours().clone();
        for file in files.iter().filter(|file| touches((file.original_at_min.0, file.original_at_max.0), &hours)) {
            match self.recall(&file.path) {
                Some(hashes) if !hashes.iter().any(|hash| rows.has_hash(*hash)) => {}
                Some(_) => self.look(rows, lake, file, Some(&hours)).await.map(drop)?,
                None if file.rows > REMEMBERED as u64 => self.look(rows, lake, file, Some(&hours)).await.map(drop)?,
                None => {
                    let hashes = self.look(rows, lake, file, None).await?;
                    self.remember(&file.path, hashes);
                }
            }
        }
        Ok(())
    }

    /// Leaves out the rows that the file holds; its parts outside `hours` are not read. Answers the hashes of what was read.
    async fn look(
        &self,
        rows: &mut Rows,
        lake: &Arc<Lake>,
        file: &LakeFile,
        hours: Option<&BTreeSet<i64>>,
    ) -> Result<Vec<u64>, CompactError> {
        let wanted = |from, to| hours.is_none_or(|hours| touches((from, to), hours));
        let mut hashes = Vec::new();
        let each = |batch: &RecordBatch| {
            let column =
                |name: &'static str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>()).ok_or(ColumnsError::Column(name));
            for (id, site) in column("event_id")?.iter().zip(column("site_id")?) {
                if let (Some(id), Some(site)) = (id.and_then(|id| Uuid::try_parse(id).ok()), site) {
                    let hash = identity_hash(&self.state, site, id.as_u128());
                    rows.leave_out(hash, site, id.as_u128());
                    if hours.is_none() {
                        hashes.push(hash);
                    }
                }
            }
            Ok(())
        };
        lake.read_groups(file, &["event_id", "site_id"], wanted, each).await?;
        Ok(hashes)
    }

    /// Remembers the hashes of a file.
    pub fn remember(&self, path: &str, hashes: Vec<u64>) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.files.contains_key(path) || hashes.len() > REMEMBERED {
            return;
        }
        memory.held += hashes.len();
        memory.order.push(path.to_owned());
        memory.files.insert(path.to_owned(), Arc::new(hashes));
        while memory.held > REMEMBERED {
            let oldest = memory.order.remove(0);
            if let Some(hashes) = memory.files.remove(&oldest) {
                memory.held -= hashes.len();
            }
        }
    }

    fn recall(&self, path: &str) -> Option<Arc<Vec<u64>>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).files.get(path).cloned()
    }
}

/// True if a range of times (µs) meets the hours.
fn touches((from, to): (i64, i64), hours: &BTreeSet<i64>) -> bool {
    let (from, to) = (from.div_euclid(Micros::HOUR), to.div_euclid(Micros::HOUR));
    from <= to && hours.range(from..=to).next().is_some()
}
