//! Why a replay stopped.

use clickstream_columns::ColumnsError;
use clickstream_erasure::ErasureError;
use clickstream_lake::LakeError;
use clickstream_log::LogError;
use clickstream_objects::ObjectError;
use clickstream_warehouse::{Day, WarehouseError};
use uuid::Uuid;

/// A replay that stopped; doing it again is safe, as what it wrote counts once.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log gave or took nothing.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The bucket gave nothing.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// It cannot be told whose events are erased.
    #[error(transparent)]
    Erasures(#[from] ErasureError),
    /// The warehouse took nothing.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The request names a partition that the topic has not.
    #[error("topic events has no partition {0}: name one of its {1}, counted from 0, or none for all")]
    Partition(u32, usize),
    /// An event cannot be written. It takes an operator.
    #[error("an event cannot be written as JSON: {0}")]
    Encode(#[from] serde_json::Error),
    /// The lake gave or took nothing.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// Rows cannot be written as columns. It takes an operator.
    #[error(transparent)]
    Rows(#[from] ColumnsError),
    /// A raw object or a file of the lake cannot be read. It takes an operator.
    #[error("{key}: {cause}")]
    Columns {
        /// The object.
        key: String,
        /// What is wrong.
        cause: ColumnsError,
    },
    /// The request names days that cannot be played.
    #[error("{from} to {to} are no days to replay: the first comes first, and there are at most ten years of them")]
    Days {
        /// The first day.
        from: Day,
        /// The last day.
        to: Day,
    },
    /// The function was given no lake.
    #[error("days of the lake cannot be replayed here: the function has no lake")]
    NoLake,
    /// Other writers were faster every time; run it again.
    #[error("other writers of the lake came first {tries} times while {day} was computed; run it again")]
    Crowded {
        /// The day.
        day: Day,
        /// How often.
        tries: u32,
    },
    /// What was computed does not hold the same events as what stands; nothing was committed. It takes a developer.
    #[error("computed anew, {path} of the lake is not the same events: {event} {what}; nothing was changed")]
    Identities {
        /// The lake's file.
        path: String,
        /// The first event in which the two differ.
        event: Uuid,
        /// How.
        what: &'static str,
    },
    /// A raw object holds another event than the lake at the same place; nothing was committed. It takes an operator.
    #[error("at {place} the lake has event {lake} and raw/ has {raw}: one of the two is damaged; nothing was changed")]
    OtherEvent {
        /// Log, partition and offset.
        place: String,
        /// The lake's event.
        lake: Uuid,
        /// That of the raw object.
        raw: Uuid,
    },
}
