//! The Lambda: Kafka's records to [`StoreEvents::handle`].

use std::sync::Arc;

use aws_lambda_events::kafka::KafkaEvent;
use clickstream_erasure::Tombstones;
use clickstream_objects::s3::{S3Config, S3Objects};
use clickstream_store::Retention;
use clickstream_store_events::StoreEvents;
use clickstream_triggers::{batches, variable};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    clickstream_telemetry::init(clickstream_telemetry::LogFormat::Json);
    let url =
        variable("STORE_URL", "sqlite:FOLDER names the folder of the event store, scylla://HOST:9042/KEYSPACE a keyspace of ScyllaDB")?;
    let store = clickstream_store::connect(&url, Retention::from_env()?).await?;
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket that keeps whose events are erased")?)?;
    let tombstones = Arc::new(Tombstones::from_env(Arc::new(S3Objects::connect(&bucket).await)));
    let function = Arc::new(StoreEvents::new(store).with_tombstones(tombstones));
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
