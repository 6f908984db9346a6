//! load: a raw object's rows into ClickHouse's table `fresh`.

mod error;
mod handler;
mod into;

pub use error::LoadError;
pub use handler::{Load, LoadOutcome};
pub use into::LoadInto;
