//! reconcile and rebuild over a real log, bucket, lake, event store and ClickHouse, and the Lambda.
#![expect(clippy::unwrap_used, reason = "tests")]

mod balance;
mod gaps;
mod lambda;
mod notifications;
mod rebuild;
mod replays;
mod scene;
mod store;
mod warehouse;
