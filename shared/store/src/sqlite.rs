//! The embedded event store on `SQLite`.
//!
//! Events are packed by dozens into compressed payloads that are only appended; two narrow indexes
//! (by id, by person) point into them. One connection writes, one transaction per call; readers see
//! what was committed.

mod erasing;
mod expiry;
mod options;
mod packing;
mod payload;
mod person;
mod put;
mod reading;
mod rejections;
mod traces;
mod writer;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use clickstream_event::{Logged, Micros};
use clickstream_sqlite::{Failure, Readers};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{CopyAt, Cursor, ErasedEvent, EventStore, Expired, Found, LoggedRejection, Person, StoreError, Which};
use expiry::Removed;
pub use options::SqliteStoreOptions;
use writer::Writer;

/// An event store in a folder of its own: `store.db` and what `SQLite` keeps beside it.
#[derive(Clone)]
pub struct SqliteStore {
    /// `None` once closed.
    writer: Arc<Mutex<Option<Writer>>>,
    readers: Arc<Readers>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens or makes the store in the folder `path`, with the default options.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if another process (or handle) has it open, naming both.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, SqliteStoreOptions::default())
    }

    /// Opens or makes the store in the folder `path`, applying `schema/sqlite/store/*.sql`.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_with(path: &Path, options: SqliteStoreOptions) -> Result<Self, StoreError> {
        let (database, writer) = Writer::open(path, options)?;
        Ok(Self { writer: Arc::new(Mutex::new(Some(writer))), readers: Arc::new(Readers::new(database, 4)) })
    }

    /// Waits for the write under way, closes the file and frees the folder; later calls are
    /// [`StoreError::Unavailable`]. Closing twice does nothing.
    pub async fn close(&self) {
        let writer = self.writer.lock().await.take();
        self.readers.close();
        if let Err(error) = tokio::task::spawn_blocking(move || drop(writer)).await {
            tracing::error!(%error, "closing the event store was cut off");
        }
    }

    /// Runs `work` with the writer on a thread that may block. It runs to its end even if the
    /// caller goes away.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        let done = tokio::task::spawn_blocking(move || match &mut *writer {
            Some(writer) => work(writer),
            None => Err(Failure::Unavailable("the event store is closed".to_owned())),
        });
        let result = done.await.map_err(|e| StoreError::Unavailable(format!("a write was cut off: {e}")))?;
        Ok(result?)
    }

    /// Repeats a step until it says that nothing is left; others may write in between. Says how many rows it removed.
    async fn repeat(&self, step: impl Fn(&mut Writer) -> Result<Removed, Failure> + Copy + Send + 'static) -> Result<u64, StoreError> {
        let mut sum = 0;
        loop {
            let Removed { rows, more } = self.write(step).await?;
            sum += rows;
            if !more {
                return Ok(sum);
            }
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl EventStore for SqliteStore {
    async fn put_events(&self, events: &[Logged]) -> Result<(), StoreError> {
        let ready = put::prepare(events).await?;
        if ready.events.is_empty() {
            return Ok(());
        }
        self.write(move |writer| writer.put_events(&ready)).await
    }

    async fn put_rejections(&self, rejections: &[LoggedRejection]) -> Result<(), StoreError> {
        if rejections.is_empty() {
            return Ok(());
        }
        let rejections = rejections.to_vec();
        self.write(move |writer| writer.put_rejections(&rejections)).await
    }

    async fn find(&self, site: Option<&str>, event_id: Uuid) -> Result<Option<Found>, StoreError> {
        let site = site.map(str::to_owned);
        let found = self.readers.run(move |connection| {
            let tx = connection.transaction().map_err(Failure::from)?;
            if let Some(event) = reading::find_event(&tx, site.as_deref(), event_id)? {
                return Ok(Some(Found::Event(Box::new(event))));
            }
            if let Some(rejection) = rejections::find_rejection(&tx, site.as_deref(), event_id)? {
                return Ok(Some(Found::Rejected(Box::new(rejection))));
            }
            Ok::<_, Failure>(traces::find_erased(&tx, site.as_deref(), event_id)?.map(Found::Erased))
        });
        Ok(found.await?)
    }

    async fn copies(&self, site: &str, event_id: Uuid) -> Result<Vec<CopyAt>, StoreError> {
        let site = site.to_owned();
        Ok(self.readers.run(move |c| traces::copies(c, &site, event_id)).await?)
    }

    async fn timeline(&self, site: &str, person: &Person, after: Option<Cursor>, limit: usize) -> Result<Vec<Logged>, StoreError> {
        let (site, person) = (site.to_owned(), person.clone());
        let events = self.readers.run(move |c| reading::timeline(c, &site, &person, after, limit));
        Ok(events.await?)
    }

    async fn rejections(&self, site: Option<&str>, limit: usize) -> Result<Vec<LoggedRejection>, StoreError> {
        let site = site.map(str::to_owned);
        let found = self.readers.run(move |c| rejections::newest(c, site.as_deref(), limit));
        Ok(found.await?)
    }

    async fn count(&self) -> Result<Option<u64>, StoreError> {
        let count: i64 = self.readers.run(|c| c.query_row("SELECT events FROM tally", [], |r| r.get(0)).map_err(Failure::from)).await?;
        Ok(Some(count as u64))
    }

    async fn erase(&self, site: &str, person: &Person, before: Micros) -> Result<u64, StoreError> {
        let (mut erased, mut after) = (0, 0);
        loop {
            let (site, person) = (site.to_owned(), person.clone());
            let step = self.write(move |writer| writer.erase_events(&site, &person, before, after)).await?;
            erased += step.erased;
            match step.next {
                Some(next) => after = next,
                None => break,
            }
            tokio::task::yield_now().await;
        }
        self.write(Writer::forget_pages).await?;
        Ok(erased)
    }

    async fn note_erased(&self, events: &[ErasedEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let events = events.to_vec();
        self.write(move |writer| writer.note_erased(&events)).await
    }

    async fn erase_rejections(&self, site: &str, which: Which) -> Result<u64, StoreError> {
        let (mut erased, mut after) = (0, 0);
        loop {
            let (site, which) = (site.to_owned(), Arc::clone(&which));
            let step = self.write(move |writer| writer.erase_rejections(&site, &which, after)).await?;
            erased += step.erased;
            match step.next {
                Some(next) => after = next,
                None => break,
            }
            tokio::task::yield_now().await;
        }
        self.write(Writer::forget_pages).await?;
        Ok(erased)
    }

    async fn expire(&self, events_before: Micros, rejections_before: Micros) -> Result<Expired, StoreError> {
        let events = self.repeat(move |writer| writer.expire_events(events_before.0)).await?;
        let rejections = self.repeat(move |writer| writer.expire_rejections(rejections_before.0)).await?;
        self.repeat(move |writer| writer.expire_erased(rejections_before.0)).await?;
        self.repeat(Writer::shrink).await?;
        Ok(Expired { events: Some(events), rejections: Some(rejections) })
    }

    async fn expirable(&self, events_before: Micros, rejections_before: Micros) -> Result<Expired, StoreError> {
        let older = move |table: &'static str, before: Micros| {
            self.readers.run(move |connection| {
                let sql = format!("SELECT count(*) FROM {table} WHERE received_at < ?1");
                connection.query_row(&sql, [before.0], |row| row.get::<_, i64>(0)).map_err(Failure::from)
            })
        };
        let (events, rejections) = (older("events", events_before).await?, older("rejections", rejections_before).await?);
        Ok(Expired { events: Some(events.cast_unsigned()), rejections: Some(rejections.cast_unsigned()) })
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable(e) => Self::Unavailable(e),
            Failure::Full => Self::Full,
            Failure::Corrupt(e) => Self::Corrupt(e),
        }
    }
}
