//! Drives the real binary from outside: starts it, kills it, asks it, and reads what it left on disk.
//!
//! Nothing here knows the service's code; what is checked is what a user would see.

mod answers;
mod clickhouse;
mod command;
mod eventually;
mod service;

pub use answers::{Rows, Sums};
pub use clickhouse::ClickHouse;
pub use command::{Output, binary, command, output};
pub use eventually::eventually;
pub use service::{Service, StartOptions};
