//! compact on a real bucket and a real table, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

mod lambda;
mod offsets;
mod once;
mod service;
