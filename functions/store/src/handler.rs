//! The work: a batch of topic `events` or `rejected`, upserted.

use clickstream_event::{Event, Logged, Rejection};
use clickstream_log::{Batch, EVENTS, REJECTED};
use clickstream_store::{LoggedRejection, SharedStore};
use clickstream_telemetry::metric;
use serde::de::DeserializeOwned;

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
        let log_partition = batch.partition;
        match batch.topic.as_str() {
            EVENTS => {
                let decoded = decoded::<Event>(batch).map(|(log_offset, event)| Logged { log_partition, log_offset, event });
                self.store.put_events(&decoded.collect::<Vec<_>>()).await?;
            }
            REJECTED => {
                let decoded =
                    decoded::<Rejection>(batch).map(|(log_offset, rejection)| LoggedRejection { log_partition, log_offset, rejection });
                self.store.put_rejections(&decoded.collect::<Vec<_>>()).await?;
            }
            other => return Err(StoreEventsError::Topic(other.to_owned())),
        }
        Ok(())
    }
}

/// What can be read, with its offset.
fn decoded<T: DeserializeOwned>(batch: &Batch) -> impl Iterator<Item = (u64, T)> {
    batch.records.iter().filter_map(|logged| match serde_json::from_slice(&logged.record.value) {
        Ok(value) => Some((logged.offset, value)),
        Err(error) => {
            tracing::error!(topic = batch.topic, partition = batch.partition, offset = logged.offset, %error, "a record is no event; left out");
            metrics::counter!(metric::UNDECODABLE, "function" => "store").increment(1);
            None
        }
    })
}
