//! The Lambda: a request to [`Replay::run`].

use std::sync::Arc;

use clickstream_erasure::Tombstones;
use clickstream_lake::Lake;
use clickstream_objects::s3::{S3Config, S3Objects};
use clickstream_replay::{Replay, ReplayRequest, memory_from_env};
use clickstream_sites::LiveSites;
use clickstream_triggers::{Function, variable};
use clickstream_warehouse::Warehouse;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let function = Function::start("replay")?;
    let log = clickstream_log::connect(&variable("LOG_URL", clickstream_log::URLS)?).await?;
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let warehouse = Warehouse::from_url(&variable("WAREHOUSE_URL", "http://USER:PASSWORD@HOST:8123/?database=clickstream")?)?;
    let sites = LiveSites::from_env().await?;
    let objects = Arc::new(S3Objects::connect(&bucket).await);
    let tombstones = Arc::new(Tombstones::from_env(objects.clone()));
    let lake = Arc::new(Lake::open(&bucket).await?);
    let replay = Replay::new(log, objects, warehouse, sites.sites()).with_tombstones(tombstones);
    let replay = replay.with_lake(lake, memory_from_env()?);
    let served = function.serve(async |request: ReplayRequest, _| {
        sites.before_invocation().await;
        Ok(replay.run(request).await?)
    });
    served.await.map_err(anyhow::Error::from_boxed)
}
