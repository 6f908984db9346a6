//! query: traces, timelines, reports and the live stream.

mod answer;
mod context;
mod error;
mod handler;
mod live;
mod parameters;
mod people;
mod report;
mod trace;

pub use answer::Answer;
pub use context::{QueryContext, context_from_env};
pub use error::QueryError;
pub use handler::Query;
