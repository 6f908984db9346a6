//! settle from a real table into a real ClickHouse, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

mod changes;
mod lambda;
mod service;
mod versions;
