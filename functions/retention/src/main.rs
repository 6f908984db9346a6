//! The Lambda: a request to [`Retention::run`]. Topics of Kafka and rows of `ScyllaDB` end by themselves, so it needs neither.

use std::sync::Arc;

use clickstream_lake::{Lake, LakeDays};
use clickstream_objects::s3::{S3Config, S3Objects};
use clickstream_retention::{RawExpiry, Retention, RetentionRequest, RetentionSettings, Stores};
use clickstream_triggers::variable;
use clickstream_warehouse::Warehouse;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    clickstream_telemetry::init(clickstream_telemetry::LogFormat::Json);
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let warehouse = Warehouse::from_url(&variable("WAREHOUSE_URL", "http://USER:PASSWORD@HOST:8123/?database=clickstream")?)?;
    let settings = RetentionSettings { lake_days: LakeDays::from_env()?, ..RetentionSettings::from_env(RawExpiry::Tag)? };
    let (objects, lake) = (Arc::new(S3Objects::connect(&bucket).await), Arc::new(Lake::open(&bucket).await?));
    let function = Arc::new(Retention::new(Stores::new(objects, lake, warehouse), settings));
    run(service_fn(move |event: LambdaEvent<RetentionRequest>| {
        let function = Arc::clone(&function);
        async move { Ok::<_, Error>(function.run(event.payload).await.whole()?) }
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
