//! The Lambda: a request to [`Erase::run`], or, where it names nobody, every erasure that is not done.

use std::sync::Arc;

use clickstream_erase::{Erase, EraseRequest};
use clickstream_erasure::Tombstones;
use clickstream_lake::Lake;
use clickstream_objects::s3::{S3Config, S3Objects};
use clickstream_store::Retention;
use clickstream_triggers::{Error, Function, variable};
use clickstream_warehouse::Warehouse;
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let function = Function::start("erase")?;
    let log = clickstream_log::connect(&variable("LOG_URL", clickstream_log::URLS)?).await?;
    let store =
        variable("STORE_URL", "sqlite:FOLDER names the folder of the event store, scylla://HOST:9042/KEYSPACE a keyspace of ScyllaDB")?;
    let store = clickstream_store::connect(&store, Retention::from_env()?).await?;
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let warehouse = Warehouse::from_url(&variable("WAREHOUSE_URL", "http://USER:PASSWORD@HOST:8123/?database=clickstream")?)?;
    let lake = Arc::new(Lake::open(&bucket).await?);
    let objects = Arc::new(S3Objects::connect(&bucket).await);
    let tombstones = Arc::new(Tombstones::from_env(objects.clone()));
    let erase = Erase::new(log, store, objects, lake, warehouse, tombstones);
    function.serve(async |payload, _| handle(&erase, payload).await).await.map_err(anyhow::Error::from_boxed)
}

/// An erasure that runs out of time stands where it is; the schedule goes on with it.
async fn handle(erase: &Erase, payload: Value) -> Result<Value, Error> {
    if payload.get("site").is_none() {
        return Ok(json!({ "finished": erase.resume().await? }));
    }
    let request: EraseRequest = serde_json::from_value(payload)?;
    let erasure = erase.begin(&request).await?;
    Ok(serde_json::from_str(&erase.run(&erasure.site_id, erasure.erasure_id).await?)?)
}
