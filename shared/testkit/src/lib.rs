//! Believable, dirty and hostile traffic from a seed: the same seed gives the same bytes. And what tests of functions
//! run on: Lambda's Runtime API, the events of its triggers, a bucket, a warehouse, and real servers.

mod cast;
pub mod clickhouse;
pub mod dirty;
pub mod flaky;
pub mod hostile;
pub mod memory_log;
pub mod proxy;
pub mod runtime_api;
pub mod s3;
pub mod sample;
pub mod sasl_broker;
pub mod servers;
pub mod sockets;
pub mod traffic;
pub mod triggers;
