//! The event store on `ScyllaDB` or Apache Cassandra.
//!
//! A copy of an event is a row that nothing replaces; reading takes the first copy. So puts are plain, idempotent writes
//! in any order by any number of writers (`docs/adr/0005-the-first-copy-without-transactions.md`). Rows end by themselves.

mod address;
mod buckets;
mod compression;
mod config;
mod erasing;
mod failure;
mod find;
mod inspect;
mod lanes;
mod migrations;
mod put;
mod rejected;
mod session;
mod statements;
mod timeline;
mod tls;
mod ttl;
mod walk;

use std::sync::Arc;

use async_trait::async_trait;
use clickstream_event::{Logged, Micros};
use uuid::Uuid;

use crate::{CopyAt, Cursor, ErasedEvent, EventStore, Expired, Found, LoggedRejection, Person, Retention, StoreError, Which};
use buckets::Directory;
pub use config::{Replication, ScyllaConfig, Tls};
pub use inspect::{Inspection, Kind, Node, inspect, try_write};
use lanes::Lanes;
pub use migrations::{AppliedMigration, migrate};
pub use scylla::statement::Consistency;
use session::Profiles;
use statements::Statements;

/// An event store in a keyspace. Clones share connections and bounds.
#[derive(Clone)]
pub struct ScyllaStore(Arc<Shared>);

struct Shared {
    lanes: Lanes,
    statements: Statements,
    retention: Retention,
    /// Months of sites.
    months: Directory<(String, i32)>,
    /// Buckets of scopes, ms UTC.
    buckets: Directory<(String, i64)>,
}

impl std::fmt::Debug for ScyllaStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScyllaStore").field("retention", &self.0.retention).finish_non_exhaustive()
    }
}

impl ScyllaStore {
    /// Connects to a keyspace that [`migrate`] has brought up to date. What is put from now on is kept for `retention`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if no node answers; [`StoreError::Setting`] if the user may not, or if the keyspace is
    /// missing or not up to date.
    pub async fn connect(config: &ScyllaConfig, retention: Retention) -> Result<Self, StoreError> {
        let profiles = Profiles::of(config);
        let session = session::open(config, &profiles).await?;
        migrations::check(config, &session).await?;
        let statements = Statements::prepare(&session, &config.keyspace, &profiles).await?;
        let lanes = Lanes::new(session, config.concurrency);
        for (what, days) in [("events", retention.event_days), ("rejections", retention.rejection_days)] {
            if let Some(warning) = ttl::warning(what, days, Micros::now()) {
                tracing::warn!("{warning}");
            }
        }
        Ok(Self(Arc::new(Shared { lanes, statements, retention, months: Directory::new(), buckets: Directory::new() })))
    }
}

#[async_trait]
impl EventStore for ScyllaStore {
    async fn put_events(&self, events: &[Logged]) -> Result<(), StoreError> {
        self.put(events).await
    }

    async fn put_rejections(&self, rejections: &[LoggedRejection]) -> Result<(), StoreError> {
        self.put_rejected(rejections).await
    }

    async fn find(&self, site: Option<&str>, event_id: Uuid) -> Result<Option<Found>, StoreError> {
        let event = match site {
            Some(site) => self.find_event(site, event_id).await?,
            None => self.find_event_anywhere(event_id).await?,
        };
        if let Some(event) = event {
            return Ok(Some(Found::Event(Box::new(event))));
        }
        if let Some(rejection) = self.find_rejected(site, event_id).await? {
            return Ok(Some(Found::Rejected(Box::new(rejection))));
        }
        Ok(self.find_erased(site, event_id).await?.map(Found::Erased))
    }

    async fn copies(&self, site: &str, event_id: Uuid) -> Result<Vec<CopyAt>, StoreError> {
        self.copies_of(site, event_id).await
    }

    async fn timeline(&self, site: &str, person: &Person, after: Option<Cursor>, limit: usize) -> Result<Vec<Logged>, StoreError> {
        self.page(site, person, after, limit).await
    }

    async fn rejections(&self, site: Option<&str>, limit: usize) -> Result<Vec<LoggedRejection>, StoreError> {
        self.newest_rejected(site, limit).await
    }

    /// None: every partition of every node would have to be read. What was stored is told by the consumer group's offsets.
    async fn count(&self) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }

    async fn erase(&self, site: &str, person: &Person, before: Micros) -> Result<u64, StoreError> {
        self.erase_events(site, person, before).await
    }

    async fn note_erased(&self, events: &[ErasedEvent]) -> Result<(), StoreError> {
        self.note(events).await
    }

    async fn erase_rejections(&self, site: &str, which: Which) -> Result<u64, StoreError> {
        self.erase_rejected(site, &which).await
    }

    /// Nothing: rows carry their time to live, set when they were put.
    async fn expire(&self, _events_before: Micros, _rejections_before: Micros) -> Result<Expired, StoreError> {
        Ok(Expired::default())
    }
}
