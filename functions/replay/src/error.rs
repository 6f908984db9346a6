//! Why a replay stopped.

use clickstream_erasure::ErasureError;
use clickstream_log::LogError;
use clickstream_objects::ObjectError;
use clickstream_warehouse::WarehouseError;

/// A replay that stopped; doing it again is safe, as what it wrote counts once.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log gave or took nothing.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The bucket gave nothing.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// It cannot be told whose events are erased.
    #[error(transparent)]
    Erasures(#[from] ErasureError),
    /// The warehouse took nothing.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The request names a partition that the topic has not.
    #[error("topic events has no partition {0}: name one of its {1}, counted from 0, or none for all")]
    Partition(u32, usize),
    /// An event cannot be written. It takes an operator.
    #[error("an event cannot be written as JSON: {0}")]
    Encode(#[from] serde_json::Error),
}
