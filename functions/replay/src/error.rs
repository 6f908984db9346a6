//! Why a replay stopped.

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
    /// The warehouse took nothing.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
}
