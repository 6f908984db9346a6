//! compact on a real bucket and a real table, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

mod between;
mod erased;
mod lambda;
mod log;
mod memory;
mod merge;
mod offsets;
mod once;
mod reference;
mod service;
mod shards;
mod vacuum;
