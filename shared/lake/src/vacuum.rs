//! Files that nobody needs any more: of versions long past, and of commits that lost.

use std::collections::{BTreeSet, HashSet};

use clickstream_event::Micros;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use object_store::{ObjectMeta, path::Path};
use serde::{Deserialize, Serialize};

use crate::{
    Change, Lake, LakeError,
    actions::{self, CommitFile},
    erased,
    log_files::{self, LogFile, LogKind},
};

/// Commit files read at once.
const AT_ONCE: usize = 16;

/// What may be removed.
#[derive(Clone, Debug)]
pub struct Vacuum {
    /// The newest version that every step behind the lake is done with; none before the first. What later versions
    /// brought or took out stays, and so do their commit files.
    pub settled_version: Option<u64>,
    /// What went from the table before this moment is removed, and what was written before it and never committed. It
    /// has to be longer ago than anyone works on one version, or on a file that is not committed yet.
    pub before: Micros,
    /// Only these files of the table, whenever they went; the log stays as it is.
    pub only: Option<BTreeSet<String>>,
    /// Says what would be removed, and removes nothing.
    pub dry_run: bool,
}

impl Vacuum {
    /// Everything that went before a moment.
    pub fn older_than(settled_version: Option<u64>, before: Micros) -> Self {
        Self { settled_version, before, only: None, dry_run: false }
    }

    /// These files at once, such as those that an erasure rewrote.
    pub fn at_once(settled_version: Option<u64>, paths: impl IntoIterator<Item = String>) -> Self {
        Self { settled_version, before: Micros(i64::MAX), only: Some(paths.into_iter().collect()), dry_run: false }
    }

    /// Says what would be removed, and removes nothing.
    #[must_use]
    pub fn dry_run(self) -> Self {
        Self { dry_run: true, ..self }
    }
}

/// What was removed, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vacuumed {
    /// The newest version.
    pub version: u64,
    /// Files of the table, and lists of erased rows.
    pub files: Vec<String>,
    /// Their bytes.
    pub bytes: u64,
    /// Files of the table's log.
    pub log_files: Vec<String>,
    /// Of the files that were asked for, those that are still needed: they belong to the newest version, or brought
    /// rows in a version that is not settled.
    pub needed: Vec<String>,
}

impl Lake {
    /// Removes what nobody needs any more. Doing it twice, or two at once, changes nothing; killed anywhere, the next
    /// one removes the rest.
    pub async fn vacuum(&self, vacuum: &Vacuum) -> Result<Vacuumed, LakeError> {
        // In this order: what is listed and then in no version is in none later on either, since whoever is about to
        // commit a file has written it after `before`.
        let listed: Vec<ObjectMeta> = self.files.list(None).try_collect().await?;
        let snapshot = self.snapshot().await?;
        let log = self.log_files().await?;
        let live: HashSet<&str> = snapshot.files.iter().map(|f| f.path.as_str()).collect();
        let mut report = Vacuumed { version: snapshot.version, ..Vacuumed::default() };
        let needed = self.needed(vacuum, &log).await?;
        let mut go = Vec::new();
        for object in listed {
            let path: &str = object.location.as_ref();
            let asked_for = match &vacuum.only {
                Some(only) => only.contains(path),
                None => is_ours(path) && Micros(object.last_modified.timestamp_micros()) < vacuum.before,
            };
            if !asked_for {
                continue;
            }
            if live.contains(path) || needed.contains(path) {
                if vacuum.only.is_some() {
                    report.needed.push(path.to_owned());
                }
            } else {
                report.files.push(path.to_owned());
                report.bytes += object.size;
                go.push(object.location);
            }
        }
        let old = if vacuum.only.is_none() { self.covered(vacuum, log).await? } else { Vec::new() };
        report.log_files = old.iter().map(|f| f.path.to_string()).collect();
        if !vacuum.dry_run {
            self.remove(go).await?;
            self.remove_log_files(&old).await?;
        }
        Ok(report)
    }

    /// Files that are in the newest version no longer and are needed all the same.
    async fn needed(&self, vacuum: &Vacuum, log: &[LogFile]) -> Result<HashSet<String>, LakeError> {
        let settled = |version| vacuum.settled_version.is_some_and(|s| version <= s);
        let late = |file: &&LogFile| file.kind == LogKind::Commit && (!settled(file.version) || file.modified >= vacuum.before);
        let versions: Vec<u64> = log.iter().filter(late).map(|f| f.version).collect();
        let read = stream::iter(versions).map(|version| async move {
            let bytes = self.commit_file(version).await?;
            Ok::<_, LakeError>((version, actions::read(version, &bytes)?))
        });
        let read: Vec<(u64, CommitFile)> = read.buffer_unordered(AT_ONCE).try_collect().await?;
        let mut needed = HashSet::new();
        for (version, commit) in read {
            match commit.change {
                Change::Append(files) | Change::Replay { files, .. } if !settled(version) => {
                    needed.extend(files.into_iter().map(|f| f.path));
                }
                Change::Erase { removed } => {
                    needed.insert(removed);
                }
                Change::Append(_) | Change::Replay { .. } | Change::Rewrite | Change::Expire { .. } => {}
            }
            // What went lately is kept for whoever still reads an older version.
            if vacuum.only.is_none() {
                needed.extend(commit.removed);
            }
        }
        Ok(needed)
    }

    /// Files of the log that a checkpoint stands for.
    async fn covered(&self, vacuum: &Vacuum, mut log: Vec<LogFile>) -> Result<Vec<LogFile>, LakeError> {
        let Some(settled) = vacuum.settled_version else { return Ok(Vec::new()) };
        let Some(keep) = self.first_to_keep(&log, settled, vacuum.before).await? else { return Ok(Vec::new()) };
        log.retain(|f| f.version < keep);
        if !log.is_empty() {
            self.reads_from_checkpoint(keep).await?;
        }
        Ok(log)
    }

    async fn remove(&self, paths: Vec<Path>) -> Result<(), LakeError> {
        let paths = stream::iter(paths.into_iter().map(Ok)).boxed();
        self.files.delete_stream(paths).try_for_each(|_| async { Ok(()) }).await?;
        Ok(())
    }
}

/// Whether vacuum may judge a file: hidden ones are others', such as the log's, but for our lists of erased rows.
fn is_ours(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    first == erased::FOLDER || (first != log_files::FOLDER && !first.starts_with(['_', '.']))
}
