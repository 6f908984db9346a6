//! query: traces, timelines, reports and the live stream.

mod answer;
mod context;
mod error;
mod guard;
mod handler;
mod live;
mod parameters;
mod people;
mod report;
mod sources;
#[cfg(test)]
mod tests;
mod trace;
mod turns;

pub use answer::Answer;
pub use context::{ContextError, QueryContext, query_from_env};
pub use error::QueryError;
pub use handler::Query;
pub use people::{Rejections, Timeline};
pub use trace::{LONGEST_WAIT, Trace};
