//! What is asked of the lake and of ClickHouse, as narrow ports: a test answers them without either.

use std::sync::Arc;

use async_trait::async_trait;
use clickstream_lake::{Lake, LakeError};
use clickstream_objects::SharedObjects;
use clickstream_store::SharedStore;
use clickstream_telemetry::LiveFeed;
use clickstream_warehouse::{InWarehouse, ReportQuery, Table, Warehouse, WarehouseError};
use uuid::Uuid;

use crate::{QueryContext, turns::InTurn};

/// Questions to ClickHouse.
#[async_trait]
pub trait AskWarehouse: Send + Sync {
    /// A report over what is visible now.
    async fn report(&self, query: &ReportQuery) -> Result<Table, WarehouseError>;
    /// What it knows of an event.
    async fn find(&self, site: Option<&str>, event_id: Uuid) -> Result<Option<InWarehouse>, WarehouseError>;
    /// The first settled lake version that is past an offset.
    async fn settled_version_of(&self, log_id: &str, partition: u32, offset: u64) -> Result<Option<u64>, WarehouseError>;
}

#[async_trait]
impl AskWarehouse for Warehouse {
    async fn report(&self, query: &ReportQuery) -> Result<Table, WarehouseError> {
        Self::report(self, query).await
    }

    async fn find(&self, site: Option<&str>, event_id: Uuid) -> Result<Option<InWarehouse>, WarehouseError> {
        Self::find(self, site, event_id).await
    }

    async fn settled_version_of(&self, log_id: &str, partition: u32, offset: u64) -> Result<Option<u64>, WarehouseError> {
        Self::settled_version_of(self, log_id, partition, offset).await
    }
}

/// The question to the lake.
#[async_trait]
pub trait AskLake: Send + Sync {
    /// The lake's version now, if it is past an offset.
    async fn version_past(&self, log_id: &str, partition: u32, offset: u64) -> Result<Option<u64>, LakeError>;
}

#[async_trait]
impl AskLake for Lake {
    async fn version_past(&self, log_id: &str, partition: u32, offset: u64) -> Result<Option<u64>, LakeError> {
        let snapshot = self.snapshot().await?;
        let next = snapshot.watermarks.get(&clickstream_lake::place(log_id, partition));
        Ok(next.filter(|next| **next > offset).map(|_| snapshot.version))
    }
}

/// Everything that is asked.
pub struct Sources {
    pub store: SharedStore,
    pub warehouse: Box<dyn AskWarehouse>,
    pub objects: SharedObjects,
    pub lake: Arc<dyn AskLake>,
    pub log_id: String,
    pub feed: LiveFeed,
}

impl From<QueryContext> for Sources {
    fn from(context: QueryContext) -> Self {
        let QueryContext { store, warehouse, objects, lake, log_id, feed } = context;
        Self { store, warehouse: Box::new(InTurn::new(warehouse)), objects, lake, log_id, feed }
    }
}
