//! The Lambda: bucket notifications to [`IntakeFiles::handle`].

use std::sync::Arc;

use aws_lambda_events::s3::S3Event;
use clickstream_intake_files::{IntakeFiles, Limits};
use clickstream_objects::s3::{S3Config, S3Objects};
use clickstream_sites::LiveSites;
use clickstream_triggers::{notifications, variable};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    clickstream_telemetry::init(clickstream_telemetry::LogFormat::Json);
    let log = clickstream_log::connect(&variable("LOG_URL", clickstream_log::URLS)?).await?;
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let sites = Arc::new(LiveSites::from_env().await?);
    let function = Arc::new(IntakeFiles::new(log, Arc::new(S3Objects::connect(&bucket).await), sites.sites(), Limits::default()));
    run(service_fn(move |event: LambdaEvent<S3Event>| {
        let (function, sites) = (Arc::clone(&function), Arc::clone(&sites));
        async move {
            sites.before_invocation().await;
            for notification in notifications(event.payload) {
                function.handle(&notification).await?;
            }
            Ok::<_, Error>(())
        }
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
