//! replay on a real log and a real bucket, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

mod lambda;
mod replaying;
