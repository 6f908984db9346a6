//! The work: a batch of topic `events` or `rejected`, upserted.

use std::{collections::BTreeSet, sync::Arc};

use clickstream_erasure::{Erased, Person as Forgotten, Tombstones};
use clickstream_event::{Event, Logged, Rejection};
use clickstream_log::{Batch, EVENTS, REJECTED};
use clickstream_store::{ErasedEvent, LoggedRejection, Person, SharedStore};
use clickstream_telemetry::metric;
use serde::de::DeserializeOwned;

use crate::StoreEventsError;

/// Puts what is logged into the event store.
pub struct StoreEvents {
    store: SharedStore,
    tombstones: Option<Arc<Tombstones>>,
}

impl StoreEvents {
    /// Puts into `store`.
    pub fn new(store: SharedStore) -> Self {
        Self { store, tombstones: None }
    }

    /// Leaves out whose events are erased. Without, nobody's are.
    #[must_use]
    pub fn with_tombstones(self, tombstones: Arc<Tombstones>) -> Self {
        Self { tombstones: Some(tombstones), ..self }
    }

    /// Upserts a batch; a repeat changes nothing. A record that is no event cannot be stored by any retry: it is
    /// counted, named in the logs, and landed as a dead letter by land.
    pub async fn handle(&self, batch: &Batch) -> Result<(), StoreEventsError> {
        let log_partition = batch.partition;
        let before = self.erased_before().await?;
        match batch.topic.as_str() {
            EVENTS => {
                let decoded = decoded::<Event>(batch).map(|(log_offset, event)| Logged { log_partition, log_offset, event });
                let all: Vec<_> = decoded.collect();
                let kept: Vec<_> = all.iter().filter(|logged| !before.erases(&logged.event)).cloned().collect();
                self.store.put_events(&kept).await?;
                self.forget_events(&all).await?;
            }
            REJECTED => {
                let decoded =
                    decoded::<Rejection>(batch).map(|(log_offset, rejection)| LoggedRejection { log_partition, log_offset, rejection });
                let all: Vec<_> = decoded.collect();
                let kept: Vec<_> = all.iter().filter(|logged| !before.erases_rejection(&logged.rejection)).cloned().collect();
                self.store.put_rejections(&kept).await?;
                self.forget_rejections(&all).await?;
            }
            other => return Err(StoreEventsError::Topic(other.to_owned())),
        }
        Ok(())
    }

    async fn erased_before(&self) -> Result<Arc<Erased>, StoreEventsError> {
        match &self.tombstones {
            Some(tombstones) => Ok(tombstones.recent().await?),
            None => Ok(Arc::default()),
        }
    }

    /// Whose events are erased now that the batch is put.
    async fn erased_after(&self) -> Result<Arc<Erased>, StoreEventsError> {
        match &self.tombstones {
            Some(tombstones) => Ok(tombstones.fresh().await?),
            None => Ok(Arc::default()),
        }
    }

    /// Takes out what an earlier try of the batch may have put, or this one before an erasure that looked meanwhile, and notes
    /// for traces what is left out.
    async fn forget_events(&self, of: &[Logged]) -> Result<(), StoreEventsError> {
        let erased = self.erased_after().await?;
        let (mut persons, mut notes) = (BTreeSet::new(), Vec::new());
        for event in of.iter().map(|logged| &logged.event).filter(|event| erased.erases(event)) {
            let forgotten = erased.forgotten_in(event);
            if let Some(erased_at) = forgotten.iter().map(|(_, at)| *at).max() {
                notes.push(ErasedEvent { site_id: event.site_id.clone(), event_id: event.event_id, erased_at });
            }
            persons.extend(forgotten.into_iter().map(|(person, at)| (event.site_id.as_str(), person, at)));
        }
        if !notes.is_empty() {
            self.store.note_erased(&notes).await?;
        }
        for (site, person, erased_at) in persons {
            self.store.erase(site, &of_store(person), erased_at).await?;
        }
        Ok(())
    }

    /// The same for rejections.
    async fn forget_rejections(&self, of: &[LoggedRejection]) -> Result<(), StoreEventsError> {
        let erased = self.erased_after().await?;
        let gone = of.iter().map(|logged| &logged.rejection).filter(|rejection| erased.erases_rejection(rejection));
        let sites: BTreeSet<&str> = gone.map(|rejection| rejection.site_id.as_deref().unwrap_or_default()).collect();
        for site in sites {
            let erased = Arc::clone(&erased);
            self.store.erase_rejections(site, Arc::new(move |rejection| erased.erases_rejection(rejection))).await?;
        }
        Ok(())
    }
}

fn of_store(person: Forgotten) -> Person {
    match person {
        Forgotten::User(id) => Person::User(id),
        Forgotten::Anonymous(id) => Person::Anonymous(id),
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
