//! What erase asks of ClickHouse, as a narrow port: tests put a model in its place.

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_event::Micros;
use clickstream_warehouse::{Commit, PersonColumn, Warehouse, WarehouseError};
use futures::{StreamExt as _, stream::BoxStream};
use uuid::Uuid;

/// A person's events as NDJSON, in pieces that may end within a line.
pub type Exported = BoxStream<'static, Result<Bytes, WarehouseError>>;

/// Where a person is looked for and taken out of. [`Warehouse`] says what each does.
#[async_trait]
#[expect(missing_docs, reason = "each stands in Warehouse under the same name")]
pub trait EraseFrom: Send + Sync + 'static {
    async fn newest_commit(&self) -> Result<Option<Commit>, WarehouseError>;
    async fn events_of(&self, site: &str, column: PersonColumn, id: &str, before: Micros) -> Result<Vec<Uuid>, WarehouseError>;
    async fn anonymous_ids_of(&self, site: &str, user: &str) -> Result<Vec<String>, WarehouseError>;
    async fn is_of_another(&self, site: &str, anonymous: &str, user: &str) -> Result<bool, WarehouseError>;
    async fn erase(&self, events: &[(String, Uuid)]) -> Result<(), WarehouseError>;
    fn export_person(&self, site: &str, column: PersonColumn, id: &str) -> Result<Exported, WarehouseError>;
}

#[async_trait]
impl EraseFrom for Warehouse {
    async fn newest_commit(&self) -> Result<Option<Commit>, WarehouseError> {
        Self::newest_commit(self).await
    }

    async fn events_of(&self, site: &str, column: PersonColumn, id: &str, before: Micros) -> Result<Vec<Uuid>, WarehouseError> {
        Self::events_of(self, site, column, id, before).await
    }

    async fn anonymous_ids_of(&self, site: &str, user: &str) -> Result<Vec<String>, WarehouseError> {
        Self::anonymous_ids_of(self, site, user).await
    }

    async fn is_of_another(&self, site: &str, anonymous: &str, user: &str) -> Result<bool, WarehouseError> {
        Self::is_of_another(self, site, anonymous, user).await
    }

    async fn erase(&self, events: &[(String, Uuid)]) -> Result<(), WarehouseError> {
        Self::erase(self, events).await
    }

    fn export_person(&self, site: &str, column: PersonColumn, id: &str) -> Result<Exported, WarehouseError> {
        Ok(Self::export_person(self, site, column, id)?.boxed())
    }
}
