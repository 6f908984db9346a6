//! The Lambda: what the bucket announces under `inbox/` to [`IntakeFiles::handle`].

use std::sync::Arc;

use clickstream_intake_files::{IntakeFiles, Limits};
use clickstream_objects::{
    Notification,
    s3::{S3Config, S3Objects},
};
use clickstream_sites::LiveSites;
use clickstream_triggers::{Function, Objects, variable};
use serde_json::Value;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let function = Function::start("intake-files")?;
    let log = clickstream_log::connect(&variable("LOG_URL", clickstream_log::URLS)?).await?;
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let sites = LiveSites::from_env().await?;
    let announced = Objects::from_env(&bucket.bucket, "inbox/")?;
    let intake = IntakeFiles::new(log, Arc::new(S3Objects::connect(&bucket).await), sites.sites(), Limits::default());
    let served = function.serve(async |event: Value, _| {
        sites.before_invocation().await;
        announced.each(&event, async |object: &Notification| intake.handle(object).await.map(drop)).await
    });
    served.await.map_err(anyhow::Error::from_boxed)
}
