//! What settle asks of ClickHouse, as a narrow port: tests put a model in its place.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_lake::ErasedRow;
use clickstream_warehouse::{Commit, Day, Warehouse, WarehouseError};
use uuid::Uuid;

/// Where versions are settled. [`Warehouse`] says what each does.
#[async_trait]
#[expect(missing_docs, reason = "each stands in Warehouse under the same name")]
pub trait SettleInto: Send + Sync + 'static {
    async fn newest_commit(&self) -> Result<Option<Commit>, WarehouseError>;
    async fn insert_settled(&self, parquet: Bytes, load_id: Uuid, version: u64, token: &str) -> Result<(), WarehouseError>;
    async fn rows_of_load(&self, load_id: Uuid) -> Result<u64, WarehouseError>;
    async fn commit(&self, commit: &Commit) -> Result<(), WarehouseError>;
    async fn erase_settled(&self, rows: &[ErasedRow]) -> Result<(), WarehouseError>;
    async fn expire_settled(&self, before: Day, version: u64) -> Result<(), WarehouseError> {
        let _ = before;
        Err(WarehouseError::Operator(format!("days expired with lake version {version}, and nothing can be expired here")))
    }
    async fn replaces_day(&self, version: u64, load_id: Uuid, day: Day) -> Result<(), WarehouseError> {
        let message = format!("version {version} brings {day} anew, which load {load_id} cannot be settled for here");
        Err(WarehouseError::Operator(message))
    }
    async fn drop_replaced(&self, hours: u32) -> Result<u64, WarehouseError> {
        let _ = hours;
        Ok(0)
    }
    async fn versions_without_marts(&self) -> Result<Vec<(u64, Uuid)>, WarehouseError>;
    async fn days_of_load(&self, load_id: Uuid) -> Result<Vec<Day>, WarehouseError>;
    async fn rebuild_marts(&self, days: &[Day]) -> Result<(), WarehouseError>;
    async fn marts_rebuilt(&self, version: u64) -> Result<(), WarehouseError>;
    async fn finish_rebuilds(&self) -> Result<Vec<Day>, WarehouseError> {
        Ok(Vec::new())
    }
    async fn restoring(&self) -> Result<bool, WarehouseError> {
        Ok(false)
    }
}

/// A rebuild of marts that began so long ago and has not ended is taken for dead: a function runs for 15 minutes at most.
const DEAD_AFTER: Duration = Duration::from_mins(15);

#[async_trait]
impl SettleInto for Warehouse {
    async fn newest_commit(&self) -> Result<Option<Commit>, WarehouseError> {
        Self::newest_commit(self).await
    }

    async fn insert_settled(&self, parquet: Bytes, load_id: Uuid, version: u64, token: &str) -> Result<(), WarehouseError> {
        Self::insert_settled(self, parquet, load_id, version, token).await
    }

    async fn rows_of_load(&self, load_id: Uuid) -> Result<u64, WarehouseError> {
        Self::rows_of_load(self, load_id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), WarehouseError> {
        Self::commit(self, commit).await
    }

    async fn erase_settled(&self, rows: &[ErasedRow]) -> Result<(), WarehouseError> {
        let identities: Vec<_> = rows.iter().map(|row| (row.site_id.clone(), row.event_id)).collect();
        Self::erase(self, &identities).await
    }

    async fn expire_settled(&self, before: Day, version: u64) -> Result<(), WarehouseError> {
        Self::expire_settled(self, before, version).await
    }

    async fn replaces_day(&self, version: u64, load_id: Uuid, day: Day) -> Result<(), WarehouseError> {
        Self::replaces_day(self, version, load_id, day).await
    }

    async fn drop_replaced(&self, hours: u32) -> Result<u64, WarehouseError> {
        Self::drop_replaced(self, hours).await
    }

    async fn versions_without_marts(&self) -> Result<Vec<(u64, Uuid)>, WarehouseError> {
        Self::versions_without_marts(self).await
    }

    async fn days_of_load(&self, load_id: Uuid) -> Result<Vec<Day>, WarehouseError> {
        Self::days_of_load(self, load_id).await
    }

    async fn rebuild_marts(&self, days: &[Day]) -> Result<(), WarehouseError> {
        Self::rebuild_marts(self, days).await
    }

    async fn marts_rebuilt(&self, version: u64) -> Result<(), WarehouseError> {
        Self::marts_rebuilt(self, version).await
    }

    async fn finish_rebuilds(&self) -> Result<Vec<Day>, WarehouseError> {
        Self::finish_rebuilds(self, DEAD_AFTER).await
    }

    async fn restoring(&self) -> Result<bool, WarehouseError> {
        Self::restoring(self).await
    }
}
