//! The Lambda: Kafka's records to [`IntakeTopic::handle`].

use clickstream_intake_topic::IntakeTopic;
use clickstream_log::Batch;
use clickstream_sites::LiveSites;
use clickstream_triggers::{Function, KafkaEvent, Records, variable};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let function = Function::start("intake-topic")?;
    let log = clickstream_log::connect(&variable("LOG_URL", clickstream_log::URLS)?).await?;
    let sites = LiveSites::from_env().await?;
    let records = Records::from_env("intake-topic")?;
    let intake = IntakeTopic::new(log, sites.sites());
    let served = function.serve(async |event: KafkaEvent, _| {
        sites.before_invocation().await;
        records.each(event, async |batch: &Batch| intake.handle(batch).await).await
    });
    served.await.map_err(anyhow::Error::from_boxed)
}
