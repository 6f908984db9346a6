//! The Lambda: whatever triggers it, mostly a schedule, to [`Settle::run_within`].

use std::sync::Arc;

use clickstream_lake::{Lake, LakeDays};
use clickstream_objects::s3::S3Config;
use clickstream_settle::Settle;
use clickstream_triggers::{Function, variable};
use clickstream_warehouse::Warehouse;
use serde_json::Value;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let function = Function::start("settle")?;
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let warehouse = Warehouse::from_url(&variable("WAREHOUSE_URL", "http://USER:PASSWORD@HOST:8123/?database=clickstream")?)?;
    let warehouse = warehouse.closing_after(LakeDays::from_env()?.days());
    let settle = Settle::new(Arc::new(Lake::open(&bucket).await?), warehouse);
    let served = function.serve(async |_: Value, deadline| Ok(settle.run_within(deadline.steps()).await?));
    served.await.map_err(anyhow::Error::from_boxed)
}
