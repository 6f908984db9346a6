//! Small files of the lake put together into larger ones: the same rows, in fewer files.

mod choice;
mod layout;
mod rewrite;

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use clickstream_event::Micros;
use clickstream_lake::{Lake, LakeError, LakeFile, Rewrite, Snapshot};
use clickstream_telemetry::metric;
use serde::{Deserialize, Serialize};

use crate::{CompactError, LakeSettings};

/// Tries of one merge against other writers, and merges in a run that may come to nothing.
const TRIES: u32 = 10;

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeReport {
    /// The lake's version afterwards.
    pub version: u64,
    /// Merges, each a version of its own.
    pub merges: u32,
    /// Files that were put together.
    pub files: u64,
    /// Files that they became.
    pub into: u64,
    /// Rows in them.
    pub rows: u64,
    /// Merges that came to nothing, because another writer took files out of the table.
    pub given_up: u32,
    /// True if time ran out before everything was merged: run it again.
    pub more: bool,
}

/// Merges files of one lake.
pub struct Merge {
    lake: Arc<Lake>,
    settings: LakeSettings,
}

impl Merge {
    /// Merges files of `lake` within these bounds.
    pub fn new(lake: Arc<Lake>, settings: LakeSettings) -> Self {
        Self { lake, settings }
    }

    /// Merges until nothing is worth it. Killed anywhere, it leaves files that no version knows, and the next run
    /// begins anew; two at once disturb nobody, one of them works for nothing.
    pub async fn run(&self) -> Result<MergeReport, CompactError> {
        self.run_within(self.settings.longest).await
    }

    /// The same, and no further merge is begun after `longest`.
    pub async fn run_within(&self, longest: Duration) -> Result<MergeReport, CompactError> {
        let began = Instant::now();
        let mut report = MergeReport::default();
        loop {
            let snapshot = self.lake.snapshot().await?;
            report.version = snapshot.version;
            let Some(chosen) = choice::next(&snapshot.files, &self.settings, Micros::now()) else { return Ok(report) };
            if began.elapsed() >= longest || report.given_up >= TRIES {
                report.more = true;
                return Ok(report);
            }
            self.merge(snapshot, chosen, &mut report).await?;
        }
    }

    async fn merge(&self, snapshot: Snapshot, removed: Vec<LakeFile>, report: &mut MergeReport) -> Result<(), CompactError> {
        let added = match rewrite::rewrite(&self.lake, &removed, self.settings.target).await {
            Err(CompactError::Lake(LakeError::Gone { .. })) => {
                report.given_up += 1;
                return Ok(());
            }
            added => added?,
        };
        let (files, into, rows) = (removed.len() as u64, added.len() as u64, added.iter().map(|f| f.file.rows).sum::<u64>());
        let Some(version) = self.commit(snapshot, Rewrite { removed, added, erased: None }).await? else {
            tracing::info!("another writer took files out of the table that were about to be merged");
            report.given_up += 1;
            return Ok(());
        };
        tracing::info!(version, files, into, rows, "merged files of the lake");
        report.version = version;
        report.merges += 1;
        report.files += files;
        report.into += into;
        report.rows += rows;
        metrics::counter!(metric::MERGED_FILES).increment(files);
        Ok(())
    }

    /// Commits at the version after the snapshot. Where another came first, the merge still holds as long as all its
    /// files stand: an append brings other rows, and an erasure or a merge takes out the files that it touches.
    async fn commit(&self, mut snapshot: Snapshot, rewrite: Rewrite) -> Result<Option<u64>, CompactError> {
        for _ in 0..TRIES {
            match self.lake.rewrite(&snapshot, &rewrite).await {
                Ok(version) => return Ok(Some(version)),
                Err(LakeError::Lost(_)) => snapshot = self.lake.snapshot().await?,
                Err(error) => return Err(error.into()),
            }
            let standing: HashSet<&str> = snapshot.files.iter().map(|f| f.path.as_str()).collect();
            if !rewrite.removed.iter().all(|f| standing.contains(f.path.as_str())) {
                return Ok(None);
            }
        }
        Ok(None)
    }
}
