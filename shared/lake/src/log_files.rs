//! The files of the table's log: commits and checkpoints, by version.

use clickstream_event::Micros;
use deltalake_core::DeltaTable;
use futures::TryStreamExt as _;
use object_store::{ObjectStoreExt as _, path::Path};

use crate::{Lake, LakeError, actions};

/// The log's folder.
pub const FOLDER: &str = "_delta_log";

/// A file of the log that belongs to one version.
#[derive(Clone, Debug)]
pub struct LogFile {
    pub path: Path,
    pub version: u64,
    pub modified: Micros,
    pub kind: LogKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    Commit,
    Checkpoint,
    /// What readers can do without: checksums and the like.
    Other,
}

impl LogFile {
    fn of(path: Path, modified: Micros) -> Option<Self> {
        let (version, rest) = path.filename()?.split_once('.')?;
        if version.len() != 20 {
            return None;
        }
        let version = version.parse().ok()?;
        let kind = match rest {
            "json" => LogKind::Commit,
            "checkpoint.parquet" => LogKind::Checkpoint,
            _ => LogKind::Other,
        };
        Some(Self { path, version, modified, kind })
    }
}

impl Lake {
    /// Every file of the log that belongs to a version, the oldest version first.
    pub(crate) async fn log_files(&self) -> Result<Vec<LogFile>, LakeError> {
        let listed: Vec<_> = self.files.list(Some(&Path::from(FOLDER))).try_collect().await?;
        let of = |o: object_store::ObjectMeta| LogFile::of(o.location, Micros(o.last_modified.timestamp_micros()));
        let mut files: Vec<LogFile> = listed.into_iter().filter_map(of).collect();
        files.sort_by(|a, b| (a.version, &a.path).cmp(&(b.version, &b.path)));
        Ok(files)
    }

    /// The version from which on the log has to stay, of those that can be read without what is older: the newest one
    /// at most `last` with a checkpoint, older than `before`, whose own commit says the watermarks. None if there is none.
    pub(crate) async fn first_to_keep(&self, files: &[LogFile], last: u64, before: Micros) -> Result<Option<u64>, LakeError> {
        let stands = |version: u64, kind: LogKind| files.iter().any(|f| f.version == version && f.kind == kind && f.modified < before);
        let mut versions: Vec<u64> =
            files.iter().filter(|f| f.kind == LogKind::Checkpoint && f.version <= last).map(|f| f.version).collect();
        versions.retain(|v| stands(*v, LogKind::Commit));
        for version in versions.into_iter().rev() {
            if actions::read(version, &self.commit_file(version).await?)?.watermarks.is_some() {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// Reads the table as of `version`, from its checkpoint, before anything that the checkpoint stands for is removed.
    pub(crate) async fn reads_from_checkpoint(&self, version: u64) -> Result<(), LakeError> {
        let mut table = DeltaTable::new(self.log.clone());
        table.load_version(version).await?;
        Ok(())
    }

    /// Removes files of the log one after the other, the oldest first: [`Lake::commit`] counts on no version having its
    /// commit file while an older one's is gone.
    pub(crate) async fn remove_log_files(&self, files: &[LogFile]) -> Result<(), LakeError> {
        for file in files {
            self.files.delete(&file.path).await?;
        }
        Ok(())
    }
}
