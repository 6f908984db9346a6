//! A log whose requests are measured.

use std::sync::Arc;

use async_trait::async_trait;
use clickstream_telemetry::called;

use crate::{Batch, BatchLimits, Consumer, Extent, Log, LogError, LoggedRecord, Position, Record, SharedLog};

/// The name of this client in metrics.
const CLIENT: &str = "log";

/// Counts and times what `log` is asked for, a consumer's waiting aside.
pub fn measured(log: SharedLog) -> SharedLog {
    Arc::new(Measured(log))
}

struct Measured(SharedLog);

/// That a topic is missing, or a record too large, is an answer.
fn is_failure(error: &LogError) -> bool {
    !matches!(error, LogError::UnknownTopic(_) | LogError::TooLarge { .. })
}

#[async_trait]
#[deny(clippy::missing_trait_methods, reason = "what a port says by default would stand in for what its adapter does")]
impl Log for Measured {
    async fn log_id(&self) -> Result<String, LogError> {
        called(CLIENT, "log_id", is_failure, self.0.log_id()).await
    }

    async fn create_topic(&self, topic: &str, partitions: u32) -> Result<(), LogError> {
        called(CLIENT, "create_topic", is_failure, self.0.create_topic(topic, partitions)).await
    }

    async fn append(&self, topic: &str, records: Vec<Record>) -> Result<Vec<Position>, LogError> {
        called(CLIENT, "append", is_failure, self.0.append(topic, records)).await
    }

    async fn read(
        &self,
        topic: &str,
        partition: u32,
        from: u64,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<Vec<LoggedRecord>, LogError> {
        called(CLIENT, "read", is_failure, self.0.read(topic, partition, from, max_records, max_bytes)).await
    }

    async fn extents(&self, topic: &str) -> Result<Vec<Extent>, LogError> {
        called(CLIENT, "extents", is_failure, self.0.extents(topic)).await
    }

    async fn committed(&self, group: &str, topic: &str) -> Result<Vec<(u32, Option<u64>)>, LogError> {
        called(CLIENT, "committed", is_failure, self.0.committed(group, topic)).await
    }

    async fn subscribe(&self, group: &str, topics: &[&str], limits: BatchLimits) -> Result<Box<dyn Consumer>, LogError> {
        let consumer = called(CLIENT, "subscribe", is_failure, self.0.subscribe(group, topics, limits)).await?;
        Ok(Box::new(MeasuredConsumer(consumer)))
    }

    async fn expire(&self, topic: &str, partition: u32, offset: u64) -> Result<(), LogError> {
        called(CLIENT, "expire", is_failure, self.0.expire(topic, partition, offset)).await
    }
}

struct MeasuredConsumer(Box<dyn Consumer>);

#[async_trait]
impl Consumer for MeasuredConsumer {
    async fn next(&mut self) -> Result<Batch, LogError> {
        self.0.next().await
    }

    async fn commit(&mut self, topic: &str, partition: u32, next_offset: u64) -> Result<(), LogError> {
        called(CLIENT, "commit", is_failure, self.0.commit(topic, partition, next_offset)).await
    }

    async fn rewind(&mut self, topic: &str, partition: u32) -> Result<(), LogError> {
        called(CLIENT, "rewind", is_failure, self.0.rewind(topic, partition)).await
    }
}
