//! The log on `SQLite` and on Kafka: one suite for both, and what each of them must survive.
#![expect(clippy::unwrap_used, reason = "tests")]

mod kafka;
mod kafka_conformance;
mod kafka_damage;
mod kafka_groups;
mod kafka_outages;
mod kafka_topics;
mod sqlite_conformance;
mod sqlite_crash;
mod sqlite_faults;
