//! collect: events over HTTP, validated, logged durably, answered one by one.

mod answer;
mod body;
mod context;
mod cors;
mod error;
mod handler;
mod judge;
mod limits;
mod measurements;
mod pixel;
mod quota;
mod route;
mod sender;
mod settings;
mod spilled;

pub use answer::Answer;
pub use context::{ContextError, collector_from_env};
pub use cors::allow_origin;
pub use handler::Collector;
pub use limits::Limits;

/// True for a path that [`Collector::handle`] answers, whatever the method.
pub fn collects(path: &str) -> bool {
    route::route(path).is_some()
}
