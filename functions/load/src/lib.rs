//! load: a raw object's rows into ClickHouse's table `fresh`.

mod error;
mod handler;

pub use error::LoadError;
pub use handler::{Load, LoadOutcome};
