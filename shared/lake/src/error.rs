//! What went wrong with the lake.

use clickstream_columns::ColumnsError;
use deltalake_core::DeltaTableError;

/// What a caller can do about a failed call.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// Another writer committed the version first: reload, look at what came in, compute again.
    #[error("another writer committed version {0} first")]
    Lost(u64),
    /// A file went while it was used: reload, compute again.
    #[error("{path} went with a version up to {version}")]
    Gone {
        /// The file.
        path: String,
        /// The newest version.
        version: u64,
    },
    /// The object store cannot be reached; the same call may succeed later.
    #[error("the lake is unavailable: {0}")]
    Unavailable(String),
    /// A file's columns cannot be read or written.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// The table is no table of ours or is damaged; an operator is needed.
    #[error("the lake is damaged: {0}")]
    Corrupt(String),
}

impl From<DeltaTableError> for LakeError {
    fn from(error: DeltaTableError) -> Self {
        match error {
            DeltaTableError::ObjectStore { source } => source.into(),
            // The kernel hands errors of the bucket on as text.
            other if other.to_string().contains("interacting with object store") => Self::Unavailable(other.to_string()),
            other => Self::Corrupt(other.to_string()),
        }
    }
}

impl From<object_store::Error> for LakeError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { path, .. } => Self::Corrupt(format!("{path} is missing")),
            other => Self::Unavailable(other.to_string()),
        }
    }
}
