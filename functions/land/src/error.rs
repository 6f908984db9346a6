//! Why a batch is not landed.

use clickstream_columns::ColumnsError;
use clickstream_erasure::ErasureError;
use clickstream_objects::ObjectError;

/// A batch that was not landed.
#[derive(Debug, thiserror::Error)]
pub enum LandError {
    /// The bucket took nothing; the batch must come again.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The rows cannot be written as columns; an operator is needed.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// It cannot be told whose events are erased; the batch must come again.
    #[error(transparent)]
    Erasures(#[from] ErasureError),
    /// Another object of the same offsets holds other events; an operator is needed: the log was replaced under its id.
    #[error("{key} stands already and differs in {what}: the log was replaced; `clickstream setup --new-log` begins a new one")]
    Different {
        /// The key.
        key: String,
        /// What differs.
        what: &'static str,
    },
    /// The batch has no records.
    #[error("the batch has no records")]
    Empty,
    /// The trigger names another topic, whose offsets are not those of events; an operator must set it right.
    #[error("land takes the topic events, not {0:?}: set the trigger's topic right")]
    Topic(String),
    /// The batch skips an offset; landed, the hole would pass for covered. An operator is needed.
    #[error(
        "offset {offset} of partition {partition} is missing within a batch: topic events may be neither compacted nor written in transactions"
    )]
    Hole {
        /// The partition.
        partition: u32,
        /// The first offset that is missing.
        offset: u64,
    },
}
