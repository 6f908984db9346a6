//! The Lambda: whatever triggers it, a notification of `spill/` or a schedule, to [`Unspill::run`].

use std::sync::Arc;

use clickstream_objects::s3::{S3Config, S3Objects};
use clickstream_triggers::variable;
use clickstream_unspill::Unspill;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    clickstream_telemetry::init(clickstream_telemetry::LogFormat::Json);
    let log = clickstream_log::connect(&variable("LOG_URL", clickstream_log::URLS)?).await?;
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let function = Arc::new(Unspill::new(log, Arc::new(S3Objects::connect(&bucket).await)));
    run(service_fn(move |_: LambdaEvent<Value>| {
        let function = Arc::clone(&function);
        async move { Ok::<_, Error>(function.run().await?) }
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
