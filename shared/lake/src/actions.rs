//! What a version's commit file says.

use std::collections::HashMap;

use bytes::Bytes;
use clickstream_event::Micros;
use deltalake_core::{
    kernel::{Action, CommitInfo, Remove, Transaction},
    logstore::get_actions,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Change, Counts, LakeError, LakeFile, Watermarks, counts::COUNTS, replay::Replayed};

/// Name of the watermarks in `commitInfo`.
pub const WATERMARKS: &str = "clickstream.watermarks";
/// Name, in `commitInfo`, of the object that lists whose rows an erasure took out.
pub const ERASED: &str = "clickstream.erased";
/// Name, in `commitInfo`, of the first day that stayed when days expired.
pub const EXPIRED: &str = "clickstream.expired_before";
/// Name, in `commitInfo`, of an id that no other commit has.
pub const WRITE: &str = "clickstream.write";
/// Name, in `commitInfo`, of what a replay says of itself.
pub const REPLAYED: &str = "clickstream.replayed";
/// Name, in `commitInfo`, of the version of the program that wrote the commit.
pub const PROGRAM: &str = "clickstream.program";
/// Name, in `commitInfo`, of the version of the event's fields that the program knew.
pub const SCHEMA: &str = "clickstream.schema";
/// Prefix of our application ids; `{log_id}/{partition}` follows.
const APPLICATION: &str = "clickstream/";

/// One commit file, read.
#[derive(Debug)]
pub struct CommitFile {
    /// What it did.
    pub change: Change,
    /// The watermarks of all partitions, if the commit says them.
    pub watermarks: Option<Watermarks>,
    /// What became of every offset, if the commit says it.
    pub counts: Option<Counts>,
    /// Paths of the files that it took out of the table.
    pub removed: Vec<String>,
}

/// Reads the commit file of `version`.
pub fn read(version: u64, bytes: &Bytes) -> Result<CommitFile, LakeError> {
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    let (mut erased, mut replayed, mut expired, mut watermarks, mut counts) = (None, None, None, None, None);
    for action in get_actions(version, bytes)? {
        match action {
            Action::Add(add) if add.data_change => added.push(LakeFile::new(&add.path, add.size, add.stats.as_deref())?),
            Action::Remove(remove) => removed.push(remove.path),
            Action::CommitInfo(info) => {
                watermarks = said(version, &info, WATERMARKS)?;
                erased = said(version, &info, ERASED)?;
                replayed = said::<Replayed>(version, &info, REPLAYED)?;
                counts = said(version, &info, COUNTS)?;
                expired = said(version, &info, EXPIRED)?;
            }
            _ => {}
        }
    }
    let change = match (erased, replayed, expired) {
        (Some(list), ..) => Change::Erase { removed: list },
        (None, Some(Replayed { day, happened_on }), _) => Change::Replay { day, happened_on, files: added },
        (None, None, Some(before)) => Change::Expire { before },
        (None, None, None) if added.is_empty() => Change::Rewrite,
        (None, None, None) => Change::Append(added),
    };
    Ok(CommitFile { change, watermarks, counts, removed })
}

/// The `commitInfo` of `version`; none where it has none.
pub fn info(version: u64, bytes: &Bytes) -> Result<Option<HashMap<String, Value>>, LakeError> {
    let info = get_actions(version, bytes)?.into_iter().find_map(|action| match action {
        Action::CommitInfo(info) => Some(info.info),
        _ => None,
    });
    Ok(info)
}

/// What `commitInfo` says under one of our names.
fn said<T: DeserializeOwned>(version: u64, info: &CommitInfo, name: &str) -> Result<Option<T>, LakeError> {
    let wrong = |e| LakeError::Corrupt(format!("{name} of version {version}: {e}"));
    info.info.get(name).map(|value| serde_json::from_value(value.clone()).map_err(wrong)).transpose()
}

/// The `remove` action of a file whose rows are gone (`data_change`) or stand in other files of the same version.
pub fn remove(file: &LakeFile, data_change: bool) -> Action {
    Action::Remove(Remove {
        path: file.path.clone(),
        data_change,
        deletion_timestamp: Some(Micros::now().0 / 1_000),
        extended_file_metadata: Some(true),
        partition_values: Some(HashMap::new()),
        size: Some(file.size.cast_signed()),
        tags: None,
        deletion_vector: None,
        base_row_id: None,
        default_row_commit_version: None,
    })
}

/// The transaction ids that hold the partitions' next offsets: two commits of one partition conflict by them.
pub fn transactions(advanced: &Watermarks) -> Vec<Transaction> {
    advanced.iter().map(|(place, next)| Transaction::new(format!("{APPLICATION}{place}"), next.cast_signed())).collect()
}
