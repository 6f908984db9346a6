//! The event store on `SQLite` and on Cassandra: one suite for both, and what each of them must survive.
#![expect(clippy::unwrap_used, reason = "tests")]

mod cassandra;
mod model;
mod scylla_access;
mod scylla_conformance;
mod scylla_erasure;
mod scylla_faults;
mod scylla_model;
mod scylla_setup;
mod scylla_timelines;
mod sqlite_conformance;
mod sqlite_crash;
mod sqlite_faults;
mod sqlite_model;
