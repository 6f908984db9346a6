//! The service on real servers: Kafka, Cassandra and `MinIO`, whole and failing.

mod doctor;
mod faults;
mod hosts;
mod load;
mod proxy;
mod scene;
mod way;
