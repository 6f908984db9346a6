//! The Lambda: Kafka's records to [`Land::handle`].

use std::sync::Arc;

use aws_lambda_events::kafka::KafkaEvent;
use clickstream_erasure::Tombstones;
use clickstream_land::Land;
use clickstream_objects::s3::{S3Config, S3Objects};
use clickstream_triggers::{batches, variable};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    clickstream_telemetry::init(clickstream_telemetry::LogFormat::Json);
    let objects = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let log_id = variable("LOG_ID", "the id that the log was given when it was set up")?;
    let objects = Arc::new(S3Objects::connect(&objects).await);
    let tombstones = Arc::new(Tombstones::from_env(objects.clone()));
    let function = Arc::new(Land::new(objects, log_id).with_tombstones(tombstones));
    run(service_fn(move |event: LambdaEvent<KafkaEvent>| {
        let function = Arc::clone(&function);
        async move {
            for batch in batches(event.payload)? {
                function.handle(&batch).await?;
            }
            Ok::<_, Error>(())
        }
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
