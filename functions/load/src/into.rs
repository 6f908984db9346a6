//! What load asks of ClickHouse, as a narrow port: tests put a model in its place.

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_warehouse::{Commit, Warehouse, WarehouseError};

/// Where raw objects are loaded. [`Warehouse`] says what each does.
#[async_trait]
#[expect(missing_docs, reason = "each stands in Warehouse under the same name")]
pub trait LoadInto: Send + Sync + 'static {
    async fn newest_commit(&self) -> Result<Option<Commit>, WarehouseError>;
    async fn insert_raw(&self, parquet: Bytes) -> Result<u64, WarehouseError>;
    async fn erase_places(&self, log_id: &str, partition: u32, offsets: &[u64]) -> Result<(), WarehouseError>;
}

#[async_trait]
impl LoadInto for Warehouse {
    async fn newest_commit(&self) -> Result<Option<Commit>, WarehouseError> {
        Self::newest_commit(self).await
    }

    async fn insert_raw(&self, parquet: Bytes) -> Result<u64, WarehouseError> {
        Self::insert_raw(self, parquet).await
    }

    async fn erase_places(&self, log_id: &str, partition: u32, offsets: &[u64]) -> Result<(), WarehouseError> {
        Self::erase_places(self, log_id, partition, offsets).await
    }
}
