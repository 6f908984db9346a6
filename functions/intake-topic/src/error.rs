//! Why a batch is not taken in.

use clickstream_log::LogError;

/// A batch that must come again.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The log took nothing, or only a part; taking the batch again is safe.
    #[error(transparent)]
    Log(#[from] LogError),
    /// What was judged cannot be written. It takes an operator.
    #[error("an event cannot be written as JSON: {0}")]
    Encode(#[from] serde_json::Error),
}
