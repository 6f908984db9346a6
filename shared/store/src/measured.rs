//! An event store whose requests are measured.

use std::sync::Arc;

use async_trait::async_trait;
use clickstream_event::{Logged, Micros};
use clickstream_telemetry::called;
use uuid::Uuid;

use crate::{CopyAt, Cursor, ErasedEvent, EventStore, Expired, Found, LoggedRejection, Person, SharedStore, StoreError, Which};

/// The name of this client in metrics.
const CLIENT: &str = "store";

/// Counts and times what `store` is asked for.
pub fn measured(store: SharedStore) -> SharedStore {
    Arc::new(Measured(store))
}

struct Measured(SharedStore);

/// No error of a store is an answer.
fn is_failure(_: &StoreError) -> bool {
    true
}

#[async_trait]
#[deny(clippy::missing_trait_methods, reason = "what a port says by default would stand in for what its adapter does")]
impl EventStore for Measured {
    async fn put_events(&self, events: &[Logged]) -> Result<(), StoreError> {
        called(CLIENT, "put_events", is_failure, self.0.put_events(events)).await
    }

    async fn put_rejections(&self, rejections: &[LoggedRejection]) -> Result<(), StoreError> {
        called(CLIENT, "put_rejections", is_failure, self.0.put_rejections(rejections)).await
    }

    async fn find(&self, site: Option<&str>, event_id: Uuid) -> Result<Option<Found>, StoreError> {
        called(CLIENT, "find", is_failure, self.0.find(site, event_id)).await
    }

    async fn copies(&self, site: &str, event_id: Uuid) -> Result<Vec<CopyAt>, StoreError> {
        called(CLIENT, "copies", is_failure, self.0.copies(site, event_id)).await
    }

    async fn timeline(&self, site: &str, person: &Person, after: Option<Cursor>, limit: usize) -> Result<Vec<Logged>, StoreError> {
        called(CLIENT, "timeline", is_failure, self.0.timeline(site, person, after, limit)).await
    }

    async fn rejections(&self, site: Option<&str>, limit: usize) -> Result<Vec<LoggedRejection>, StoreError> {
        called(CLIENT, "rejections", is_failure, self.0.rejections(site, limit)).await
    }

    async fn count(&self) -> Result<Option<u64>, StoreError> {
        called(CLIENT, "count", is_failure, self.0.count()).await
    }

    async fn erase(&self, site: &str, person: &Person, before: Micros) -> Result<u64, StoreError> {
        called(CLIENT, "erase", is_failure, self.0.erase(site, person, before)).await
    }

    async fn note_erased(&self, events: &[ErasedEvent]) -> Result<(), StoreError> {
        called(CLIENT, "note_erased", is_failure, self.0.note_erased(events)).await
    }

    async fn erase_rejections(&self, site: &str, which: Which) -> Result<u64, StoreError> {
        called(CLIENT, "erase_rejections", is_failure, self.0.erase_rejections(site, which)).await
    }

    async fn expire(&self, events_before: Micros, rejections_before: Micros) -> Result<Expired, StoreError> {
        called(CLIENT, "expire", is_failure, self.0.expire(events_before, rejections_before)).await
    }

    async fn expirable(&self, events_before: Micros, rejections_before: Micros) -> Result<Expired, StoreError> {
        called(CLIENT, "expirable", is_failure, self.0.expirable(events_before, rejections_before)).await
    }
}
