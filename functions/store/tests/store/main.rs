//! store into a real event store, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

mod lambda;
mod storing;
