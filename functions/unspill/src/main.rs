//! The Lambda: whatever triggers it, a schedule or an object that the bucket announces under `spill/`, to [`Unspill::run_within`].

use std::{cell::Cell, sync::Arc};

use clickstream_objects::{
    Notification,
    s3::{S3Config, S3Objects},
};
use clickstream_spill::PREFIX;
use clickstream_triggers::{Deadline, Error, Function, Objects, variable};
use clickstream_unspill::Unspill;
use serde_json::{Value, to_value};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let function = Function::start("unspill")?;
    let log = clickstream_log::connect(&variable("LOG_URL", clickstream_log::URLS)?).await?;
    let bucket = S3Config::from_url(&variable("OBJECTS_URL", "s3://BUCKET names the bucket")?)?;
    let announced = Objects::from_env(&bucket.bucket, PREFIX)?;
    let unspill = Unspill::new(log, Arc::new(S3Objects::connect(&bucket).await));
    let served = function.serve(async |event: Value, deadline| handle(&unspill, &announced, event, deadline).await);
    served.await.map_err(anyhow::Error::from_boxed)
}

/// One run returns all that waits, whatever was announced.
async fn handle(unspill: &Unspill, announced: &Objects, event: Value, deadline: Deadline) -> Result<Value, Error> {
    let done = Cell::new(None);
    let answer = announced.each_message(&event, async |objects: &[Notification]| {
        if !objects.is_empty() && done.get().is_none() {
            done.set(Some(unspill.run_within(deadline.steps()).await?));
        }
        Ok(())
    });
    match answer.await.transpose()? {
        None => Ok(to_value(unspill.run_within(deadline.steps()).await?)?),
        Some(answer) if answer.is_done() => Ok(to_value(done.get())?),
        Some(answer) => Ok(to_value(answer)?),
    }
}
