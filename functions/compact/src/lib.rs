//! compact: what is new in raw/ into the lake, exactly once.

mod accepted;
mod counted;
mod error;
mod handler;
mod known;
mod plan;
mod rows;

pub use error::CompactError;
pub use handler::{Compact, CompactReport, CompactRequest, Gap};
