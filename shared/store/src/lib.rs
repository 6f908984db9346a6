//! The event store port: any event by id, a person's timeline, recent rejections, all seconds old.

pub mod conformance;
mod connect;
mod copies;
mod measured;
mod retention;
pub mod scylla;
pub mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use clickstream_event::{Logged, Micros, Rejection};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use connect::connect;
pub use measured::measured;
pub use retention::Retention;

/// What a caller can do about a failed call.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached or is overloaded; the same call may succeed later.
    #[error("the event store is unavailable: {0}")]
    Unavailable(String),
    /// The disk is full.
    #[error("the event store's disk is full")]
    Full,
    /// The store's own data is damaged; an operator is needed.
    #[error("the event store is damaged: {0}")]
    Corrupt(String),
    /// A setting is wrong, or the store is not set up as it should be; an operator must set it right. Says what would be
    /// right.
    #[error("{0}")]
    Setting(String),
}

/// A rejection with its place in the topic `rejected`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoggedRejection {
    /// Partition of topic `rejected`.
    pub log_partition: u32,
    /// Offset within it.
    pub log_offset: u64,
    /// The rejection.
    #[serde(flatten)]
    pub rejection: Rejection,
}

/// An event that was erased: an id and a moment, and nothing that names anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasedEvent {
    /// Its site.
    pub site_id: String,
    /// Its id.
    pub event_id: Uuid,
    /// Up to when its person is erased.
    pub erased_at: Micros,
}

/// What the store knows of an id.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// A kept event (the first copy, by `(received_at, partition, offset)`).
    Event(Box<Logged>),
    /// A rejected one.
    Rejected(Box<LoggedRejection>),
    /// One that was erased.
    Erased(ErasedEvent),
}

/// Where a copy of an event stands in topic `events`, and when it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CopyAt {
    /// When the service took it.
    pub received_at: Micros,
    /// Its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: u64,
}

/// Which id of a person a timeline is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Person {
    /// `user_id`.
    User(String),
    /// `anonymous_id`.
    Anonymous(String),
}

/// Where a page of a timeline ends; the next one begins after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// `original_at` of the last event of the page.
    pub original_at: Micros,
    /// Its id.
    pub event_id: Uuid,
}

/// How many were forgotten; none where a store does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Events.
    pub events: Option<u64>,
    /// Rejections.
    pub rejections: Option<u64>,
}

/// Says of a rejection whether it is meant.
pub type Which = Arc<dyn Fn(&Rejection) -> bool + Send + Sync>;

/// Events by id and by person.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// Puts events, idempotently by `(site_id, event_id)`: the copy with the lowest
    /// `(received_at, partition, offset)` stays, whatever order they come in.
    async fn put_events(&self, events: &[Logged]) -> Result<(), StoreError>;
    /// Puts rejections, idempotently by their place in the log.
    async fn put_rejections(&self, rejections: &[LoggedRejection]) -> Result<(), StoreError>;
    /// What is known of `event_id`, on any site where `site` is none. A kept event goes before a rejected one, and both before
    /// one that was erased.
    async fn find(&self, site: Option<&str>, event_id: Uuid) -> Result<Option<Found>, StoreError>;
    /// Every copy that was put of a kept event, by its place in the log, the kept one first.
    async fn copies(&self, site: &str, event_id: Uuid) -> Result<Vec<CopyAt>, StoreError>;
    /// A person's events, newest first by `(original_at, event_id)`, from after `after` on.
    async fn timeline(&self, site: &str, person: &Person, after: Option<Cursor>, limit: usize) -> Result<Vec<Logged>, StoreError>;
    /// The newest rejections, newest first.
    async fn rejections(&self, site: Option<&str>, limit: usize) -> Result<Vec<LoggedRejection>, StoreError>;
    /// Events held, all sites; none where a store would have to read every event to tell.
    async fn count(&self) -> Result<Option<u64>, StoreError>;
    /// Removes a person's events that were received, or happened (`original_at`), at or before `before`, and says how
    /// many. For good: nothing that was put before, in whatever order, is read again, and files do not keep it. Later
    /// events stay, and everybody else's. What is removed is noted as [`EventStore::note_erased`] does.
    async fn erase(&self, site: &str, person: &Person, before: Micros) -> Result<u64, StoreError>;
    /// Notes that events are erased, for [`EventStore::find`] to tell as long as rejections are kept. Of two moments the later
    /// one stays.
    async fn note_erased(&self, events: &[ErasedEvent]) -> Result<(), StoreError>;
    /// Removes the rejections for which `which` says so, of those of `site` and of those whose site is not known.
    async fn erase_rejections(&self, site: &str, which: Which) -> Result<u64, StoreError>;
    /// Forgets events and rejections received before the given moments, and says how many. A store whose rows end by
    /// themselves, after the [`Retention`] that it was opened with, has nothing to do here and cannot tell.
    async fn expire(&self, events_before: Micros, rejections_before: Micros) -> Result<Expired, StoreError>;
    /// How many [`EventStore::expire`] would forget; reads every event to tell.
    async fn expirable(&self, events_before: Micros, rejections_before: Micros) -> Result<Expired, StoreError> {
        let _ = (events_before, rejections_before);
        Ok(Expired::default())
    }
}

/// Shared handle to an event store.
pub type SharedStore = Arc<dyn EventStore>;
