//! The Lambda: a request to [`Settle::run`].

use std::sync::Arc;

use clickstream_lake::{Lake, LakeDays};
use clickstream_objects::s3::S3Config;
use clickstream_settle::Settle;
use clickstream_triggers::variable;
use clickstream_warehouse::Warehouse;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    clickstream_telemetry::init(clickstream_telemetry::LogFormat::Json);
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let warehouse = Warehouse::from_url(&variable("WAREHOUSE_URL", "http://USER:PASSWORD@HOST:8123/?database=clickstream")?)?;
    let warehouse = warehouse.closing_after(LakeDays::from_env()?.days());
    let function = Arc::new(Settle::new(Arc::new(Lake::open(&bucket).await?), warehouse));
    run(service_fn(move |_: LambdaEvent<Value>| {
        let function = Arc::clone(&function);
        async move { Ok::<_, Error>(function.run().await?) }
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
