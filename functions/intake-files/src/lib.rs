//! intake-files: events in files put under `inbox/{site}/`, with a receipt per file.

mod error;
mod format;
mod handler;
mod limits;
mod missed;
mod place;
#[allow(unexpected_cfgs, reason = "fuzz/run.sh sets fuzzing")]
mod read;
mod receipt;
mod sink;

pub use error::IntakeFilesError;
pub use handler::{FileOutcome, IntakeFiles};
pub use limits::Limits;
pub use missed::{Missed, missed};
pub use place::{check_name, receipt_key};
pub use receipt::{FileError, Receipt, RejectedLine};
