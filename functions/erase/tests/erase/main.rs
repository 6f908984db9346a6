//! erase on embedded parts: a log, an event store, a bucket, a lake and ClickHouse.
#![expect(clippy::unwrap_used, reason = "tests")]

mod cut_off;
mod erasing;
mod not_back;
mod service;
mod versions;
