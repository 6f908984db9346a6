//! Why a file is not taken in yet.

use clickstream_log::LogError;
use clickstream_objects::ObjectError;

/// A notification that must come again. What is wrong with a file itself stands in its receipt.
#[derive(Debug, thiserror::Error)]
pub enum IntakeFilesError {
    /// The log took nothing.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The bucket gave or took nothing.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// What was judged cannot be written. It takes an operator.
    #[error("a record or receipt cannot be written as JSON: {0}")]
    Encode(#[from] serde_json::Error),
    /// A temporary file cannot be written.
    #[error("no room for a temporary file: {0}")]
    Temporary(#[from] std::io::Error),
}
