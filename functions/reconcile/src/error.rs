//! Why reconciling stopped.

use clickstream_columns::ColumnsError;
use clickstream_erasure::ErasureError;
use clickstream_lake::LakeError;
use clickstream_log::LogError;
use clickstream_objects::ObjectError;
use clickstream_store::StoreError;
use clickstream_warehouse::WarehouseError;

/// A run that stopped; what was repaired stands, and the next run does the rest.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The log gave nothing.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The bucket gave nothing.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The lake cannot be read.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// ClickHouse did not do it.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The event store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file's columns cannot be read.
    #[error("{key}: {cause}")]
    Columns {
        /// The file.
        key: String,
        /// What is wrong with it.
        cause: ColumnsError,
    },
    /// It cannot be told whose events are erased.
    #[error("erasures cannot be read: {0}")]
    Erasures(#[from] ErasureError),
    /// The request is wrong; says what would be right.
    #[error("{0}")]
    Request(String),
    /// The rows that were copied are not those of the lake; nothing was exchanged.
    #[error("the copy of site {site:?} on {day} differs from the lake: nothing was exchanged; run it again")]
    Differs {
        /// The site.
        site: String,
        /// The day.
        day: String,
    },
    /// Others settled versions all the while.
    #[error("versions were settled while ClickHouse was restored, several times in a row; run it again")]
    Crowded,
}
