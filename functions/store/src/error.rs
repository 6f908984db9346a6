//! Why a batch is not stored.

use clickstream_store::StoreError;

/// A batch that must come again.
#[derive(Debug, thiserror::Error)]
pub enum StoreEventsError {
    /// The event store took nothing.
    #[error(transparent)]
    Store(#[from] StoreError),
}
