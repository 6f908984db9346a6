//! collect: events over HTTP, validated, logged durably, answered one by one.

mod answer;
mod body;
mod context;
mod cors;
mod error;
mod handler;
mod judge;
mod limits;
mod route;
mod sender;

pub use context::{ContextError, collector_from_env};
pub use handler::Collector;
pub use limits::Limits;
