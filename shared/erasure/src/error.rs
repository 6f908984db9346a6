//! Why it cannot be told who is forgotten.

use clickstream_columns::ColumnsError;
use clickstream_objects::ObjectError;

/// What a caller can do about a failed call.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// The bucket does not answer; the same call may succeed later.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// A file's columns cannot be read or written.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// `ERASURE_KEY` is too short, or another than the one that tombstones were made with; an operator must set it right.
    #[error("ERASURE_KEY is wrong: {0}")]
    Key(String),
    /// An object under `erasures/` is not as it was written; an operator is needed.
    #[error("{key} is damaged: {why}")]
    Damaged {
        /// The object.
        key: String,
        /// What is wrong with it.
        why: String,
    },
}

impl ErasureError {
    /// True if the same call may succeed later.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Objects(ObjectError::Unavailable(_) | ObjectError::Full | ObjectError::PreconditionFailed(_)))
    }
}
