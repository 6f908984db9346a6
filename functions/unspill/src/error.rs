//! Why spilled records are not back yet.

use clickstream_log::LogError;
use clickstream_objects::ObjectError;

/// A run that must come again. What it returned before is returned; the rest stands in the bucket.
#[derive(Debug, thiserror::Error)]
pub enum UnspillError {
    /// The log takes nothing still.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The bucket does not tell what stands in it.
    #[error(transparent)]
    Bucket(#[from] ObjectError),
    /// The bucket did not give, or did not remove, some objects; the others are returned.
    #[error("{objects} spill objects wait: {cause}")]
    Waiting {
        /// How many.
        objects: u64,
        /// What the bucket said of the first.
        cause: ObjectError,
    },
}
