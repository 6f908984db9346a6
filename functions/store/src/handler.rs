//! The work: a batch of topic `events` or `rejected`, upserted.

use clickstream_event::{Event, Logged, Rejection};
use clickstream_log::{Batch, REJECTED};
use clickstream_store::{LoggedRejection, SharedStore};
use clickstream_telemetry::metric;

use crate::StoreEventsError;

/// Puts what is logged into the event store.
pub struct StoreEvents {
    store: SharedStore,
}

impl StoreEvents {
    /// Puts into `store`.
    pub fn new(store: SharedStore) -> Self {
        Self { store }
    }

    /// Upserts a batch; a repeat changes nothing. A record that is no event cannot be stored by any retry: it is
    /// counted, named in the logs, and landed as a dead letter by land.
    pub async fn handle(&self, batch: &Batch) -> Result<(), StoreEventsError> {
        if batch.topic == REJECTED {
            let rejections = decoded(batch, |offset, bytes| {
                let rejection: Rejection = serde_json::from_slice(bytes)?;
                Ok(LoggedRejection { log_partition: batch.partition, log_offset: offset, rejection })
            });
            self.store.put_rejections(&rejections).await?;
        } else {
            let events = decoded(batch, |offset, bytes| {
                let event: Event = serde_json::from_slice(bytes)?;
                Ok(Logged { log_partition: batch.partition, log_offset: offset, event })
            });
            self.store.put_events(&events).await?;
        }
        Ok(())
    }
}

fn decoded<T>(batch: &Batch, decode: impl Fn(u64, &[u8]) -> Result<T, serde_json::Error>) -> Vec<T> {
    let decode = |record: &clickstream_log::LoggedRecord| match decode(record.offset, &record.record.value) {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::error!(topic = batch.topic, partition = batch.partition, offset = record.offset, %error, "undecodable record");
            metrics::counter!(metric::UNDECODABLE, "function" => "store").increment(1);
            None
        }
    };
    batch.records.iter().filter_map(decode).collect()
}
