//! settle: lake versions into ClickHouse in order, and the marts of the days touched.

mod error;
mod expire;
mod handler;
mod into;

pub use error::SettleError;
pub use handler::{Settle, SettleReport};
pub use into::SettleInto;
