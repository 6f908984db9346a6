//! compact: what is new in raw/ into the lake, exactly once.

mod error;
mod forgets;
mod handler;
mod known;
mod plan;
mod rows;
mod tombstones;

pub use error::CompactError;
pub use forgets::{Forgets, ForgetsError, Forgotten, Who};
pub use handler::{Compact, CompactReport, CompactRequest, Gap};
