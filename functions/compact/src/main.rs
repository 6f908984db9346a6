//! The Lambda: a payload to [`Maintenance::invoke_within`].

use std::sync::Arc;

use clickstream_compact::{Compact, CompactOptions, Invocation, LakeSettings, Maintenance};
use clickstream_erasure::Tombstones;
use clickstream_lake::Lake;
use clickstream_objects::s3::{S3Config, S3Objects};
use clickstream_triggers::{Function, variable};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let function = Function::start("compact")?;
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let log_id = variable("LOG_ID", "the id that the log was given when it was set up")?;
    let (options, settings) = (CompactOptions::from_env()?, LakeSettings::from_env()?);
    let lake = Arc::new(Lake::open(&bucket).await?);
    let objects = Arc::new(S3Objects::connect(&bucket).await);
    let tombstones = Arc::new(Tombstones::from_env(objects.clone()));
    let compact = Compact::new(objects, Arc::clone(&lake), log_id).with_options(options).with_tombstones(tombstones);
    let maintenance = Maintenance::new(lake, compact, settings);
    let served =
        function.serve(async |invocation: Invocation, deadline| Ok(maintenance.invoke_within(invocation, deadline.steps()).await?));
    served.await.map_err(anyhow::Error::from_boxed)
}
