//! The service on real servers: Kafka, Cassandra and `MinIO`, whole and failing.

mod clicks;
mod faults;
mod scene;
mod way;
