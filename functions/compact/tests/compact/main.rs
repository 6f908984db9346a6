//! compact on a real bucket and a real table, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

mod between;
mod lambda;
mod log;
mod merge;
mod offsets;
mod once;
mod service;
mod shards;
mod vacuum;
