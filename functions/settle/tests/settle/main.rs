//! settle from a real table into a real ClickHouse, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

mod changes;
mod lambda;
mod replays;
mod service;
mod versions;
