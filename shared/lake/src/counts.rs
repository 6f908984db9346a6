//! What became of every offset: sums per partition, which each commit carries on in its `commitInfo`.

use std::collections::{BTreeMap, HashMap};

use arrow::{array::AsArray as _, datatypes::Int32Type};
use clickstream_columns::{ColumnsError, read_columns};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Lake, LakeError, LakeFile, NewFile, Rewrite, Snapshot, Watermarks, actions, place};

/// Name of the counts in `commitInfo`.
pub const COUNTS: &str = "clickstream.counts";

/// What became of the offsets `[since, w)` of one partition, where w is its watermark:
/// w − since = rows + duplicates + `dead_letters` + erased + missing + expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlaceCounts {
    /// The offset from which on is counted: 0, or the watermark as of the first commit that counted.
    pub since: u64,
    /// Rows that the table got. Those that were erased or expired since are counted there and no longer here.
    pub rows: u64,
    /// Repeats left out.
    pub duplicates: u64,
    /// Records that are no event.
    pub dead_letters: u64,
    /// Events erased, before they came to the table or out of it.
    pub erased: u64,
    /// Offsets whose gap was accepted.
    pub missing: u64,
    /// Rows that left the table because their day was too old.
    pub expired: u64,
}

impl PlaceCounts {
    /// All of them together.
    pub fn total(&self) -> u64 {
        self.rows + self.duplicates + self.dead_letters + self.erased + self.missing + self.expired
    }

    /// Adds what a commit took; `since` stays.
    fn add(&mut self, taken: &Self) {
        self.rows += taken.rows;
        self.duplicates += taken.duplicates;
        self.dead_letters += taken.dead_letters;
        self.erased += taken.erased;
        self.missing += taken.missing;
        self.expired += taken.expired;
    }
}

/// Counts by `{log_id}/{partition}`.
pub type Counts = BTreeMap<String, PlaceCounts>;

impl Lake {
    /// The counts as of `version`: those of the newest commit at or before it that says them.
    pub async fn counts(&self, version: u64) -> Result<Counts, LakeError> {
        for version in (1..=version).rev() {
            let Some(bytes) = self.log.read_commit_entry(version).await? else { break };
            if let Some(counts) = actions::read(version, &bytes)?.counts {
                return Ok(counts);
            }
        }
        Ok(Counts::new())
    }

    /// [`Lake::commit`], which also says what became of the offsets that it takes.
    pub async fn commit_counted(
        &self,
        base: &Snapshot,
        files: &[NewFile],
        advanced: &Watermarks,
        taken: &Counts,
    ) -> Result<u64, LakeError> {
        let counts = summed(self.counts(base.version).await?, &base.watermarks, taken);
        self.commit_saying(base, files, advanced, HashMap::from([(COUNTS.to_owned(), json!(counts))])).await
    }

    /// The counts carried on by a version that takes no offset.
    pub(crate) async fn counts_say(&self, base: &Snapshot) -> Result<HashMap<String, Value>, LakeError> {
        let counts = self.counts(base.version).await?;
        Ok(if counts.is_empty() { HashMap::new() } else { HashMap::from([(COUNTS.to_owned(), json!(counts))]) })
    }

    /// What an erasure says: the counts with its rows moved to `erased`.
    pub(crate) async fn erasure_says(&self, base: &Snapshot, rewrite: &Rewrite) -> Result<HashMap<String, Value>, LakeError> {
        let mut counts = self.counts(base.version).await?;
        let removed = self.rows_by_place(rewrite.removed.iter()).await?;
        let added = self.rows_by_place(rewrite.added.iter().map(|new| &new.file)).await?;
        for (place, before) in removed {
            let erased = before.saturating_sub(added.get(&place).copied().unwrap_or(0));
            if let Some(counts) = counts.get_mut(&place) {
                counts.rows = counts.rows.saturating_sub(erased);
                counts.erased += erased;
            }
        }
        Ok(HashMap::from([(COUNTS.to_owned(), json!(counts))]))
    }

    /// Rows of files by partition.
    async fn rows_by_place(&self, files: impl Iterator<Item = &LakeFile>) -> Result<BTreeMap<String, u64>, LakeError> {
        let mut rows = BTreeMap::new();
        for file in files {
            for batch in read_columns(self.read_file(&file.path).await?, &["log_id", "log_partition"])? {
                let column = |name: &'static str| batch.column_by_name(name).ok_or(ColumnsError::Column(name));
                let logs = column("log_id")?.as_string_opt::<i32>().ok_or(ColumnsError::Column("log_id"))?;
                let partitions = column("log_partition")?.as_primitive_opt::<Int32Type>().ok_or(ColumnsError::Column("log_partition"))?;
                let mut of: BTreeMap<(&str, i32), u64> = BTreeMap::new();
                for (log, partition) in logs.iter().zip(partitions.values()) {
                    *of.entry((log.unwrap_or_default(), *partition)).or_default() += 1;
                }
                for ((log, partition), count) in of {
                    *rows.entry(place(log, partition.cast_unsigned())).or_default() += count;
                }
            }
        }
        Ok(rows)
    }
}

/// The counts with what a commit took. A partition that was never counted is from its watermark on.
fn summed(mut counts: Counts, watermarks: &Watermarks, taken: &Counts) -> Counts {
    for (place, taken) in taken {
        let begun = || PlaceCounts { since: watermarks.get(place).copied().unwrap_or(0), ..PlaceCounts::default() };
        counts.entry(place.clone()).or_insert_with(begun).add(taken);
    }
    counts
}
