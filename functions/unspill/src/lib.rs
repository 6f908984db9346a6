//! unspill: what was spilled while the log took nothing, back into the log.

mod error;
mod handler;

pub use error::UnspillError;
pub use handler::{Unspill, Unspilled};
