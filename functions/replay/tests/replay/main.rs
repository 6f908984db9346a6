//! replay on a real log, bucket, lake and ClickHouse, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../../../compact/tests/compact/between.rs"]
mod between;
mod conflicts;
mod days;
mod lambda;
mod replaying;
mod scene;
