//! ClickHouse by the port of replay.

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_replay::LoadRaw;
use clickstream_warehouse::WarehouseError;
use uuid::Uuid;

use super::warehouse::WarehousePort;

#[async_trait]
impl LoadRaw for WarehousePort {
    async fn settled_to(&self, log_id: &str, partition: u32) -> Result<u64, WarehouseError> {
        let place = format!("{log_id}/{partition}");
        Ok(self.newest().await?.and_then(|commit| commit.watermarks.get(&place).copied()).unwrap_or(0))
    }

    async fn load(&self, parquet: Bytes) -> Result<u64, WarehouseError> {
        self.insert_fresh(&parquet).await
    }

    async fn known(&self, events: &[(String, Uuid)]) -> Result<u64, WarehouseError> {
        let events = events.to_vec();
        self.ask(move |state| events.iter().filter(|event| state.everything().any(|row| row.identity == **event)).count() as u64).await
    }
}
