//! Why an object is not loaded.

use clickstream_erasure::ErasureError;
use clickstream_objects::ObjectError;
use clickstream_warehouse::WarehouseError;

/// An object that must come again.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bucket gave nothing.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// It cannot be told whose events are erased.
    #[error(transparent)]
    Erasures(#[from] ErasureError),
    /// The warehouse took nothing.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
}
