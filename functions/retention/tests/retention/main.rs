//! Every rule of retention on the real parts: what is old goes, what is young or needed stays, and twice changes nothing.
#![expect(clippy::unwrap_used, reason = "tests")]

mod clickhouse;
mod cut_off;
mod events;
mod files;
mod lake;
mod lambda;
mod minio;
mod raw;
mod service;
mod topics;
