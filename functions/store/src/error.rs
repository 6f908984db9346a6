//! Why a batch is not stored.

use clickstream_erasure::ErasureError;
use clickstream_store::StoreError;

/// A batch that must come again.
#[derive(Debug, thiserror::Error)]
pub enum StoreEventsError {
    /// The event store took nothing.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be told whose events are erased.
    #[error(transparent)]
    Erasures(#[from] ErasureError),
    /// The trigger names another topic; an operator must set it right.
    #[error("store takes the topics events and rejected, not {0:?}: set the trigger's topic right")]
    Topic(String),
}
