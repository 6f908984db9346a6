//! The lake: a Delta table (<https://github.com/delta-io/delta/blob/master/PROTOCOL.md>) of events, appended at exactly one version.
//!
//! A commit holds the rows of offsets `[w, w′)` of some partitions. It carries a Delta transaction id per partition
//! with w′, and the watermarks of all partitions in its `commitInfo`. It is tried only at the version it was
//! computed from plus one: whoever loses must look at what came in between.

mod actions;
mod at;
mod commit;
mod counts;
mod erased;
mod error;
mod expire;
mod file;
mod lake;
mod lake_days;
mod log_files;
mod open;
mod parts;
mod replay;
mod vacuum;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

pub use counts::{Counts, PlaceCounts};
pub use erased::ErasedRow;
pub use error::LakeError;
pub use expire::{Expiry, RowsByPlace, begin_of};
pub use file::{LakeFile, NewFile};
pub use lake::Lake;
pub use lake_days::{LakeDays, LakeDaysError};
pub use replay::{Replay, WrittenBy, day_of, moments_of};
pub use vacuum::{Vacuum, Vacuumed};

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

/// What one version did to the table's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It brought the rows of these files.
    Append(Vec<LakeFile>),
    /// The rows are the same; they may stand in other files.
    Rewrite,
    /// It took out the rows that the list at this path names ([`Lake::read_erased`]).
    Erase {
        /// The list's path within the table.
        removed: String,
    },
    /// It took out every row that happened before this day (UTC, by `occurred_at`).
    Expire {
        /// The first day that stays.
        before: Date,
    },
    /// It put the rows of a day in place of those that stood: the same events with other values, but for rows of people
    /// who were erased.
    Replay {
        /// The day (UTC) of the rows' `original_at`. These files hold all rows of it as of this version.
        day: Date,
        /// Days (UTC) on which they happened by `occurred_at`.
        happened_on: BTreeSet<Date>,
        /// The files of the day's rows, which hold no other.
        files: Vec<LakeFile>,
    },
}

/// One version of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub version: u64,
    /// What it did.
    pub change: Change,
    /// The watermarks of all partitions as of the version.
    pub watermarks: Watermarks,
}

impl Version {
    /// The files that brought rows, or rows' new values.
    pub fn added(&self) -> &[LakeFile] {
        match &self.change {
            Change::Append(files) | Change::Replay { files, .. } => files,
            Change::Rewrite | Change::Erase { .. } | Change::Expire { .. } => &[],
        }
    }
}

/// Other files in place of some: what a rewriting version does.
#[derive(Clone, Debug, Default)]
pub struct Rewrite {
    /// Files of the snapshot that go.
    pub removed: Vec<LakeFile>,
    /// Files that stand in their place.
    pub added: Vec<NewFile>,
    /// The list of the rows that were taken out ([`Lake::write_erased`]); none where the rows are the same.
    pub erased: Option<String>,
}
