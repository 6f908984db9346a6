//! What became of a file.

use clickstream_event::{Micros, Reason};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A rejected record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejectedLine {
    /// The line on which it begins, from 1 (of Parquet: the row, from 1).
    pub line: u64,
    /// Its id, where it could be read.
    pub event_id: Option<Uuid>,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// What is wrong with the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileError {
    /// For machines.
    pub code: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// The receipt of a file. `lines` = `accepted` + `suspicious` + `rejected`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// The file's key.
    pub file: String,
    /// Its site.
    pub site_id: String,
    /// Its `ETag`.
    pub etag: String,
    /// Its bytes.
    pub size: u64,
    /// Its format, such as `csv.gz`.
    pub format: String,
    /// Records kept without a remark.
    pub accepted: u64,
    /// Records kept with warnings.
    pub suspicious: u64,
    /// Records not kept.
    pub rejected: u64,
    /// Records in all.
    pub lines: u64,
    /// When the work began.
    pub started_at: Micros,
    /// When it ended.
    pub finished_at: Micros,
    /// The first rejected records.
    pub rejected_lines: Vec<RejectedLine>,
    /// The object that lists every rejected record, if the receipt does not.
    pub rejected_lines_object: Option<String>,
    /// What is wrong with the file as a whole; records before it were taken.
    pub error: Option<FileError>,
}
