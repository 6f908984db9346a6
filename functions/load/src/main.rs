//! The Lambda: bucket notifications to [`Load::handle`].

use std::sync::Arc;

use aws_lambda_events::s3::S3Event;
use clickstream_erasure::Tombstones;
use clickstream_load::Load;
use clickstream_objects::s3::{S3Config, S3Objects};
use clickstream_triggers::{notifications, variable};
use clickstream_warehouse::Warehouse;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    clickstream_telemetry::init(clickstream_telemetry::LogFormat::Json);
    let objects = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let warehouse = Warehouse::from_url(&variable("WAREHOUSE_URL", "http://USER:PASSWORD@HOST:8123/?database=clickstream")?)?;
    let objects = Arc::new(S3Objects::connect(&objects).await);
    let tombstones = Arc::new(Tombstones::from_env(objects.clone()));
    let function = Arc::new(Load::new(objects, warehouse).with_tombstones(tombstones));
    run(service_fn(move |event: LambdaEvent<S3Event>| {
        let function = Arc::clone(&function);
        async move {
            for notification in notifications(event.payload) {
                function.handle(&notification).await?;
            }
            Ok::<_, Error>(())
        }
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
