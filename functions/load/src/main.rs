//! The Lambda: what the bucket announces under `raw/events/` to [`Load::handle`].

use std::sync::Arc;

use clickstream_erasure::Tombstones;
use clickstream_load::Load;
use clickstream_objects::{
    Notification,
    s3::{S3Config, S3Objects},
};
use clickstream_triggers::{Function, Objects, variable};
use clickstream_warehouse::Warehouse;
use serde_json::Value;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let function = Function::start("load")?;
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let warehouse = Warehouse::from_url(&variable("WAREHOUSE_URL", "http://USER:PASSWORD@HOST:8123/?database=clickstream")?)?;
    let announced = Objects::from_env(&bucket.bucket, "raw/events/")?;
    let objects = Arc::new(S3Objects::connect(&bucket).await);
    let tombstones = Arc::new(Tombstones::from_env(objects.clone()));
    let load = Load::new(objects, warehouse).with_tombstones(tombstones);
    let served = function
        .serve(async |event: Value, _| announced.each(&event, async |object: &Notification| load.handle(object).await.map(drop)).await);
    served.await.map_err(anyhow::Error::from_boxed)
}
