//! The Lambda: Kafka's records to [`Land::handle`].

use std::sync::Arc;

use clickstream_erasure::Tombstones;
use clickstream_land::Land;
use clickstream_log::Batch;
use clickstream_objects::s3::{S3Config, S3Objects};
use clickstream_triggers::{Function, KafkaEvent, Records, variable};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let function = Function::start("land")?;
    let objects = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let log_id = variable("LOG_ID", "the id that the log was given when it was set up")?;
    let records = Records::from_env("land")?;
    let objects = Arc::new(S3Objects::connect(&objects).await);
    let tombstones = Arc::new(Tombstones::from_env(objects.clone()));
    let land = Land::new(objects, log_id).with_tombstones(tombstones);
    let served =
        function.serve(async |event: KafkaEvent, _| records.each(event, async |batch: &Batch| land.handle(batch).await.map(drop)).await);
    served.await.map_err(anyhow::Error::from_boxed)
}
