//! The Lambda: Kafka's records to [`IntakeTopic::handle`].

use std::sync::Arc;

use aws_lambda_events::kafka::KafkaEvent;
use clickstream_intake_topic::IntakeTopic;
use clickstream_sites::LiveSites;
use clickstream_triggers::{batches, variable};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    clickstream_telemetry::init(clickstream_telemetry::LogFormat::Json);
    let log = clickstream_log::connect(&variable("LOG_URL", clickstream_log::URLS)?).await?;
    let sites = Arc::new(LiveSites::from_env().await?);
    let function = Arc::new(IntakeTopic::new(log, sites.sites()));
    run(service_fn(move |event: LambdaEvent<KafkaEvent>| {
        let (function, sites) = (Arc::clone(&function), Arc::clone(&sites));
        async move {
            sites.before_invocation().await;
            for batch in batches(event.payload)? {
                function.handle(&batch).await?;
            }
            Ok::<_, Error>(())
        }
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
