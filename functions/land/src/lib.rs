//! land: each batch of the topic `events` as one immutable raw object.

mod error;
mod handler;

pub use clickstream_columns::raw_key;
pub use error::LandError;
pub use handler::{Land, LandedObject};
