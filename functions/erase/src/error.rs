//! Why an erasure is not done yet.

use clickstream_erasure::ErasureError;
use clickstream_lake::LakeError;
use clickstream_log::LogError;
use clickstream_objects::ObjectError;
use clickstream_store::StoreError;
use clickstream_warehouse::WarehouseError;
use uuid::Uuid;

/// An erasure that stopped. What is done is done; it goes on where it stopped, again by itself.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The request is wrong; the message says what would be right.
    #[error("{0}")]
    Request(&'static str),
    /// There is no such erasure.
    #[error("there is no erasure {1} of site {0:?}")]
    Unknown(String, Uuid),
    /// Another process is at it.
    #[error("another process works on erasure {0}")]
    Busy(Uuid),
    /// The lake's version that holds the erasure is not settled yet.
    #[error("lake version {version} is not settled yet: {why}")]
    Unsettled {
        /// The version.
        version: u64,
        /// What is known about it.
        why: String,
    },
    /// The lake is written so often that no version could be put onto it.
    #[error("other writers committed to the lake {0} times in a row")]
    Crowded(u32),
    /// The log does not answer.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The event store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket does not answer.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The lake cannot be read or written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// ClickHouse does not answer.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// Tombstones cannot be read or written, or the key is wrong.
    #[error(transparent)]
    Erasures(#[from] ErasureError),
}

impl From<clickstream_columns::ColumnsError> for EraseError {
    fn from(error: clickstream_columns::ColumnsError) -> Self {
        Self::Erasures(error.into())
    }
}

/// Work on a thread of its own that ended too soon.
pub(crate) fn cut_off(error: impl std::fmt::Display) -> EraseError {
    EraseError::Objects(ObjectError::Unavailable(format!("work was cut off: {error}")))
}
