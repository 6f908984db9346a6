//! What a version's commit file says.

use bytes::Bytes;
use deltalake_core::{
    kernel::{Action, Transaction},
    logstore::get_actions,
};

use crate::{LakeError, LakeFile, Watermarks};

/// Name of the watermarks in `commitInfo`.
pub const WATERMARKS: &str = "clickstream.watermarks";
/// Prefix of our application ids; `{log_id}/{partition}` follows.
const APPLICATION: &str = "clickstream/";

/// One commit file, read.
#[derive(Debug, Default)]
pub struct CommitFile {
    /// Files that bring rows.
    pub files: Vec<LakeFile>,
    /// The watermarks of all partitions, if the commit says them.
    pub watermarks: Option<Watermarks>,
}

/// Reads the commit file of `version`.
pub fn read(version: u64, bytes: &Bytes) -> Result<CommitFile, LakeError> {
    let mut read = CommitFile::default();
    for action in get_actions(version, bytes)? {
        match action {
            Action::Add(add) if add.data_change => read.files.push(LakeFile::new(&add.path, add.size, add.stats.as_deref())?),
            Action::CommitInfo(info) => {
                if let Some(value) = info.info.get(WATERMARKS) {
                    let wrong = |e| LakeError::Corrupt(format!("watermarks of version {version}: {e}"));
                    read.watermarks = Some(serde_json::from_value(value.clone()).map_err(wrong)?);
                }
            }
            _ => {}
        }
    }
    Ok(read)
}

/// The transaction ids that hold the partitions' next offsets: two commits of one partition conflict by them.
pub fn transactions(advanced: &Watermarks) -> Vec<Transaction> {
    advanced.iter().map(|(place, next)| Transaction::new(format!("{APPLICATION}{place}"), next.cast_signed())).collect()
}
