//! The Lambda: a request to [`Retention::run`]. Topics of Kafka and rows of `ScyllaDB` end by themselves, so it needs neither.

use std::sync::Arc;

use clickstream_lake::{Lake, LakeDays};
use clickstream_objects::s3::{S3Config, S3Objects};
use clickstream_retention::{RawExpiry, Retention, RetentionRequest, RetentionSettings, Stores};
use clickstream_triggers::{Function, variable};
use clickstream_warehouse::Warehouse;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let function = Function::start("retention")?;
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let warehouse = Warehouse::from_url(&variable("WAREHOUSE_URL", "http://USER:PASSWORD@HOST:8123/?database=clickstream")?)?;
    let settings = RetentionSettings { lake_days: LakeDays::from_env()?, ..RetentionSettings::from_env(RawExpiry::Tag)? };
    let (objects, lake) = (Arc::new(S3Objects::connect(&bucket).await), Arc::new(Lake::open(&bucket).await?));
    let retention = Retention::new(Stores::new(objects, lake, warehouse), settings);
    let served = function.serve(async |request: RetentionRequest, _| Ok(retention.run(request).await.whole()?));
    served.await.map_err(anyhow::Error::from_boxed)
}
