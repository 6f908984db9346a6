//! load into a real ClickHouse, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

mod lambda;
mod loading;
