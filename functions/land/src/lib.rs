//! land: each batch of the topic `events` as one immutable raw object.

mod error;
mod handler;
mod key;

pub use error::LandError;
pub use handler::{Land, LandedObject};
pub use key::raw_key;
