//! replay: rejected records through today's validation, records of the log, raw objects into ClickHouse, and days of the
//! lake computed anew.

mod days;
mod days_asked;
mod error;
mod handler;
mod options;
mod raw;
mod rejected;
mod request;
mod topic;

pub use days::{ChangedField, DayReport, Days, DaysReport};
pub use days_asked::Settles;
pub use error::ReplayError;
pub use handler::Replay;
pub use options::{MemoryError, memory_from_env};
pub use raw::LoadRaw;
pub use request::{ReplayReport, ReplayRequest, ReplaySource, ReplayVersions, Sample, Versions};
