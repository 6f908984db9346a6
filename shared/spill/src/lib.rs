//! While the log takes nothing, records wait in the bucket: those of a request in one object under `spill/`, from
//! where the function unspill returns them to the log.

mod breaker;
mod log;
mod object;

use clickstream_log::Record;

pub use log::{KeepError, Kept, SpillingLog};
pub use object::{Damaged, Unwritable, decode, encode};

/// Where spill objects stand: `spill/{uuid v7}.ndjson.zst`. Keys of one process are in the order in which they were
/// written; those of several are so to about a millisecond.
pub const PREFIX: &str = "spill/";

/// Records of one topic, in the order in which they are appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// [`EVENTS`](clickstream_log::EVENTS) or [`REJECTED`](clickstream_log::REJECTED).
    pub topic: &'static str,
    /// The records.
    pub records: Vec<Record>,
}
