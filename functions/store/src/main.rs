//! The Lambda: Kafka's records to [`StoreEvents::handle`].

use std::sync::Arc;

use clickstream_erasure::Tombstones;
use clickstream_log::Batch;
use clickstream_objects::s3::{S3Config, S3Objects};
use clickstream_store::Retention;
use clickstream_store_events::StoreEvents;
use clickstream_triggers::{Function, KafkaEvent, Records, variable};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let function = Function::start("store")?;
    let url =
        variable("STORE_URL", "sqlite:FOLDER names the folder of the event store, scylla://HOST:9042/KEYSPACE a keyspace of ScyllaDB")?;
    let store = clickstream_store::connect(&url, Retention::from_env()?).await?;
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket that keeps whose events are erased")?)?;
    let records = Records::from_env("store")?;
    let tombstones = Arc::new(Tombstones::from_env(Arc::new(S3Objects::connect(&bucket).await)));
    let store = StoreEvents::new(store).with_tombstones(tombstones);
    let served = function.serve(async |event: KafkaEvent, _| records.each(event, async |batch: &Batch| store.handle(batch).await).await);
    served.await.map_err(anyhow::Error::from_boxed)
}
