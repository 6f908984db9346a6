//! compact: what is new in raw/ into the lake, exactly once.

mod accepted;
mod counted;
mod error;
mod forgets;
mod handler;
mod known;
mod loading;
mod offsets;
mod options;
mod part;
mod plan;
mod rows;
mod sorted;
mod tombstones;

pub use error::CompactError;
pub use forgets::{Forgets, ForgetsError, Forgotten, Who};
pub use handler::{Compact, CompactReport, CompactRequest, Gap};
pub use options::{CompactOptions, OptionsError};
