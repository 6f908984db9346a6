//! What questions are answered from.

use std::sync::Arc;

use clickstream_lake::Lake;
use clickstream_objects::{
    SharedObjects,
    s3::{S3Config, S3Objects},
};
use clickstream_store::SharedStore;
use clickstream_telemetry::LiveFeed;
use clickstream_triggers::variable;
use clickstream_warehouse::Warehouse;

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

/// The context of the Lambda, from `STORE_URL`, `OBJECTS_URL`, `WAREHOUSE_URL` and `LOG_ID`.
pub async fn context_from_env() -> Result<QueryContext, Box<dyn std::error::Error + Send + Sync>> {
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    Ok(QueryContext {
        store: clickstream_store::connect(&variable("STORE_URL", "sqlite:FOLDER names the folder of the event store")?)?,
        warehouse: Warehouse::from_url(&variable("WAREHOUSE_URL", "http://USER:PASSWORD@HOST:8123/?database=clickstream")?)?,
        objects: Arc::new(S3Objects::connect(&bucket).await),
        lake: Arc::new(Lake::open(&bucket).await?),
        log_id: variable("LOG_ID", "the id that the log was given when it was set up")?,
        feed: LiveFeed::default(),
    })
}
