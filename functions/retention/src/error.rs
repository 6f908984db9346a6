//! Why a rule could not be applied.

use clickstream_columns::ColumnsError;
use clickstream_lake::LakeError;
use clickstream_log::LogError;
use clickstream_objects::ObjectError;
use clickstream_store::StoreError;
use clickstream_warehouse::WarehouseError;

/// A rule that stopped, or a run of which rules did; what went is gone, and the next run does the rest.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The log does not answer.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The event store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket does not answer, or refuses.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The lake cannot be read or written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// ClickHouse does not answer.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// A file of the lake cannot be read.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// The lake is written so often that no version could be put onto it.
    #[error("other writers committed to the lake {0} times in a row; the next run tries again")]
    Crowded(u32),
    /// Rules that could not be applied; the others were.
    #[error("not every rule could be applied: {}", .0.join("; "))]
    Rules(Vec<String>),
}
