//! What questions are answered from.

use std::sync::Arc;

use clickstream_lake::{Lake, LakeError};
use clickstream_objects::{
    SharedObjects,
    s3::{S3Config, S3ConfigError, S3Objects},
};
use clickstream_store::{Retention, SharedStore, StoreError};
use clickstream_telemetry::LiveFeed;
use clickstream_triggers::{TriggerError, variable};
use clickstream_warehouse::{Warehouse, WarehouseError};

use crate::Query;

/// Shortest admin token, characters.
const SHORTEST_TOKEN: usize = 16;

/// The parts.
pub struct QueryContext {
    /// Events by id and person.
    pub store: SharedStore,
    /// Reports.
    pub warehouse: Warehouse,
    /// Raw objects.
    pub objects: SharedObjects,
    /// The lake.
    pub lake: Arc<Lake>,
    /// The log's identity.
    pub log_id: String,
    /// Events as they arrive.
    pub feed: LiveFeed,
}

/// A variable that cannot be used, or a part that does not open. The messages name the variable.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ContextError {
    #[error(transparent)]
    Variable(#[from] TriggerError),
    #[error("ADMIN_TOKEN is wrong: a token has {SHORTEST_TOKEN} characters or more")]
    Token,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Objects(#[from] S3ConfigError),
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    #[error("the lake in the bucket of OBJECTS_URL does not open: {0}")]
    Lake(#[from] LakeError),
}

/// The function of the Lambda, from `STORE_URL`, `OBJECTS_URL`, `WAREHOUSE_URL`, `LOG_ID` and `ADMIN_TOKEN`.
///
/// A Lambda's address is open to the internet, so here the token must be set.
pub async fn query_from_env() -> Result<Query, ContextError> {
    let token = variable("ADMIN_TOKEN", "the token that readers show, 16 characters or more")?;
    if token.chars().count() < SHORTEST_TOKEN {
        return Err(ContextError::Token);
    }
    let url =
        variable("STORE_URL", "sqlite:FOLDER names the folder of the event store, scylla://HOST:9042/KEYSPACE a keyspace of ScyllaDB")?;
    let store = clickstream_store::connect(&url, Retention::from_env()?).await?;
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let warehouse = Warehouse::from_url(&variable("WAREHOUSE_URL", "http://USER:PASSWORD@HOST:8123/clickstream names ClickHouse")?)?;
    let log_id = variable("LOG_ID", "the id that the log was given when it was set up")?;
    let objects = Arc::new(S3Objects::connect(&bucket).await);
    let lake = Arc::new(Lake::open(&bucket).await?);
    let context = QueryContext { store, warehouse, objects, lake, log_id, feed: LiveFeed::default() };
    Ok(Query::new(context).with_admin_token(token))
}
