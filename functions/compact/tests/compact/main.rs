//! compact on a real bucket and a real table, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

mod forgets;
mod lambda;
mod memory;
mod offsets;
mod once;
mod reference;
mod service;
