//! Why a compaction did not come to its end.

use clickstream_columns::ColumnsError;
use clickstream_erasure::ErasureError;
use clickstream_lake::LakeError;
use clickstream_objects::ObjectError;

/// A compaction that stopped; what it committed stands, and the next one goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum CompactError {
    /// The bucket gave nothing.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The lake took nothing.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// A raw object cannot be read; an operator is needed.
    #[error("{key}: {cause}")]
    Raw {
        /// The object.
        key: String,
        /// What is wrong.
        cause: ColumnsError,
    },
    /// The payload asks for what cannot be done.
    #[error("{0}")]
    Request(String),
    /// Rows cannot be written.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// It is not known whose events are erased, so no row may be written; run it again.
    #[error("erasures cannot be read: {0}")]
    Erasures(#[from] ErasureError),
    /// Other writers were faster every time; run it again.
    #[error("other writers committed first {0} times in a row")]
    Crowded(u32),
}
