//! The Lambda: a request to [`Reconcile::run`], or, with `"rebuild"`, to [`Reconcile::rebuild`].

use std::sync::Arc;

use clickstream_erasure::Tombstones;
use clickstream_lake::{Lake, LakeDays};
use clickstream_objects::s3::{S3Config, S3Objects};
use clickstream_reconcile::{RebuildRequest, Reconcile, ReconcileRequest, Settings, Sources};
use clickstream_store::Retention;
use clickstream_triggers::{Error, Function, variable};
use clickstream_warehouse::Warehouse;
use serde_json::Value;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let function = Function::start("reconcile")?;
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let warehouse = Warehouse::from_url(&variable("WAREHOUSE_URL", "http://USER:PASSWORD@HOST:8123/?database=clickstream")?)?;
    let warehouse = warehouse.closing_after(LakeDays::from_env()?.days());
    let log = clickstream_log::connect(&variable("LOG_URL", clickstream_log::URLS)?).await?;
    let store = variable("STORE_URL", "scylla://HOST:9042,…/KEYSPACE names nodes")?;
    let store = clickstream_store::connect(&store, Retention::default()).await?;
    let log_id = log.log_id().await?;
    let objects = Arc::new(S3Objects::connect(&bucket).await);
    let tombstones = Arc::new(Tombstones::from_env(objects.clone()));
    let lake = Arc::new(Lake::open(&bucket).await?);
    let sources = Sources::new(log, objects, lake, warehouse, store, log_id).with_tombstones(tombstones);
    let reconcile = Reconcile::new(sources, Settings::from_env());
    function.serve(async |payload, _| handle(&reconcile, payload).await).await.map_err(anyhow::Error::from_boxed)
}

/// `{"rebuild":{…}}` rebuilds, anything else reconciles; what a scheduler adds to its events is left out.
async fn handle(reconcile: &Reconcile, mut payload: Value) -> Result<Value, Error> {
    if let Some(request) = payload.get_mut("rebuild") {
        let request: RebuildRequest = serde_json::from_value(request.take())?;
        return Ok(serde_json::to_value(reconcile.rebuild(request).await?)?);
    }
    let asked = payload.as_object().is_some_and(|o| o.contains_key("dry_run") || o.contains_key("accept_gap"));
    let request: ReconcileRequest = if asked { serde_json::from_value(payload)? } else { ReconcileRequest::default() };
    Ok(serde_json::to_value(reconcile.run(request).await?)?)
}
