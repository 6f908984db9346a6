//! replay: rejected records through today's validation, records of the log, and raw objects into ClickHouse, again.

mod error;
mod handler;
mod raw;
mod rejected;
mod request;
mod topic;

pub use error::ReplayError;
pub use handler::Replay;
pub use raw::LoadRaw;
pub use request::{ReplayReport, ReplayRequest, ReplaySource, Sample};
