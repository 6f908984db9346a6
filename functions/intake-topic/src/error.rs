//! Why a batch is not taken in.

use clickstream_log::LogError;

/// A batch that must come again.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The log took nothing.
    #[error(transparent)]
    Log(#[from] LogError),
}
