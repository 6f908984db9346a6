//! The lake: a Delta table (<https://github.com/delta-io/delta/blob/master/PROTOCOL.md>) of events, appended at exactly one version.
//!
//! A commit holds the rows of offsets `[w, w′)` of some partitions. It carries a Delta transaction id per partition
//! with w′, and the watermarks of all partitions in its `commitInfo`. It is tried only at the version it was
//! computed from plus one: whoever loses must look at what came in between.

mod actions;
mod error;
mod file;
mod lake;
mod open;

use std::collections::BTreeMap;

pub use error::LakeError;
pub use file::{LakeFile, NewFile};
pub use lake::Lake;

/// Next offset per partition, keyed `{log_id}/{partition}`.
pub type Watermarks = BTreeMap<String, u64>;

/// The key of a partition in [`Watermarks`].
pub fn place(log_id: &str, partition: u32) -> String {
    format!("{log_id}/{partition}")
}

/// The table at one version.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The version.
    pub version: u64,
    /// What it holds of each partition.
    pub watermarks: Watermarks,
    /// Its files.
    pub files: Vec<LakeFile>,
}

/// What one version added.
#[derive(Clone, Debug)]
pub struct VersionAdds {
    /// The version.
    pub version: u64,
    /// Files that bring rows (those of versions that only rewrite files bring none).
    pub files: Vec<LakeFile>,
    /// The watermarks of all partitions as of the version.
    pub watermarks: Watermarks,
}
