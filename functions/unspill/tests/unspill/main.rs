//! unspill from a real bucket to a real log, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

mod lambda;
mod returning;
