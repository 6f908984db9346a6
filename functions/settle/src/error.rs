//! Why settling stopped.

use clickstream_lake::LakeError;
use clickstream_warehouse::WarehouseError;

/// Settling stopped; what has its row in `commits` stands, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// The lake cannot be read.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The warehouse took nothing.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The warehouse holds another number of rows than the lake's files; the load stays invisible.
    #[error("lake version {version} has {lake} rows, its load in ClickHouse {warehouse}; it is loaded anew by the next run")]
    RowsDiffer {
        /// The version.
        version: u64,
        /// Rows by the lake's statistics.
        lake: u64,
        /// Rows that arrived.
        warehouse: u64,
    },
}
