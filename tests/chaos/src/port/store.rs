//! The event store: of copies the first, whatever order they come in.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use clickstream_event::{Logged, Micros};
use clickstream_store::{CopyAt, Cursor, ErasedEvent, EventStore, Expired, Found, LoggedRejection, Person, StoreError, Which};
use rand::RngExt as _;
use uuid::Uuid;

use crate::{
    columns::Identity,
    fault::{Boundary, Fault},
    life::{Life, Share},
};

/// Received, partition, offset.
type Place = (i64, u32, u64);

#[derive(Default)]
struct State {
    /// Events were lost without anybody's call.
    lossy: bool,
    events: BTreeMap<Identity, (Place, Logged)>,
    rejections: BTreeMap<(u32, u64), LoggedRejection>,
}

/// What the event store holds.
#[derive(Default)]
pub struct Shelf(Mutex<State>);

impl Shelf {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of the copy that is kept of each event.
    pub fn events(&self) -> BTreeMap<Identity, Place> {
        self.state().events.iter().map(|(identity, (place, _))| (identity.clone(), *place)).collect()
    }

    /// Places of rejections.
    pub fn rejections(&self) -> Vec<(u32, u64)> {
        self.state().rejections.keys().copied().collect()
    }

    /// Every event that is held.
    pub fn held(&self) -> Vec<Logged> {
        self.state().events.values().map(|(_, logged)| logged.clone()).collect()
    }

    /// Loses some events, as one does whose disk was put back from a copy.
    pub fn lose(&self, random: &mut impl rand::Rng) -> bool {
        let mut state = self.state();
        let held = state.events.len();
        state.events.retain(|_, _| random.random_bool(0.6));
        state.lossy |= state.events.len() < held;
        state.events.len() < held
    }

    /// True if some were.
    pub fn is_lossy(&self) -> bool {
        self.state().lossy
    }

    fn put(&self, events: &[Logged]) {
        let mut state = self.state();
        for logged in events {
            let place = (logged.event.received_at.0, logged.log_partition, logged.log_offset);
            let identity = (logged.event.site_id.clone(), logged.event.event_id);
            let standing = state.events.entry(identity).or_insert_with(|| (place, logged.clone()));
            if place < standing.0 {
                *standing = (place, logged.clone());
            }
        }
    }
}

/// The event store as one process reaches it.
pub struct StorePort {
    shelf: Arc<Shelf>,
    life: Arc<Life>,
}

/// A write of several rows may take place in part.
const WRITE: &[Fault] = &[Fault::NotDone, Fault::Unanswered, Fault::Part, Fault::Twice, Fault::Late];

/// What goes is gone whole.
const ERASE: &[Fault] = &[Fault::NotDone, Fault::Unanswered, Fault::Twice];

fn is_theirs(logged: &Logged, person: &Person) -> bool {
    match person {
        Person::User(id) => logged.event.user_id.as_ref() == Some(id),
        Person::Anonymous(id) => logged.event.anonymous_id.as_ref() == Some(id),
    }
}

impl StorePort {
    pub fn new(shelf: &Arc<Shelf>, life: &Arc<Life>) -> Self {
        Self { shelf: Arc::clone(shelf), life: Arc::clone(life) }
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable("the seed says so".to_owned())
}

/// All, or the first half.
fn share<T>(rows: &[T], share: Share) -> &[T] {
    if share == Share::Whole { rows } else { &rows[..rows.len() / 2] }
}

#[async_trait]
impl EventStore for StorePort {
    async fn put_events(&self, events: &[Logged]) -> Result<(), StoreError> {
        let (shelf, events) = (Arc::clone(&self.shelf), events.to_vec());
        self.life.perform(Boundary::StoreWrite, WRITE, move |s| shelf.put(share(&events, s))).await.map_err(|_| unavailable())
    }

    async fn put_rejections(&self, rejections: &[LoggedRejection]) -> Result<(), StoreError> {
        let (shelf, rejections) = (Arc::clone(&self.shelf), rejections.to_vec());
        let put = self.life.perform(Boundary::StoreWrite, WRITE, move |s| {
            let placed = share(&rejections, s).iter().map(|r| ((r.log_partition, r.log_offset), r.clone()));
            shelf.state().rejections.extend(placed);
        });
        put.await.map_err(|_| unavailable())
    }

    async fn find(&self, site: Option<&str>, event_id: Uuid) -> Result<Option<Found>, StoreError> {
        if self.life.fails(Boundary::Query, &format!("event {event_id}")) {
            return Err(unavailable());
        }
        let state = self.shelf.state();
        let found = state.events.iter().find(|((s, id), _)| *id == event_id && site.is_none_or(|site| site == s));
        Ok(found.map(|(_, (_, logged))| Found::Event(Box::new(logged.clone()))))
    }

    async fn copies(&self, _: &str, _: Uuid) -> Result<Vec<CopyAt>, StoreError> {
        Err(StoreError::Setting("nobody asks for copies here".to_owned()))
    }

    async fn note_erased(&self, _: &[ErasedEvent]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn timeline(&self, site: &str, person: &Person, after: Option<Cursor>, limit: usize) -> Result<Vec<Logged>, StoreError> {
        let (shelf, site, person) = (Arc::clone(&self.shelf), site.to_owned(), person.clone());
        let read = self.life.perform(Boundary::Query, &[Fault::NotDone], move |_| {
            let order = |logged: &Logged| (logged.event.original_at, logged.event.event_id);
            let comes_after = |logged: &Logged| after.is_none_or(|after| order(logged) < (after.original_at, after.event_id));
            let mut found = shelf.held();
            found.retain(|logged| logged.event.site_id == site && is_theirs(logged, &person) && comes_after(logged));
            found.sort_by_key(|logged| std::cmp::Reverse(order(logged)));
            found.truncate(limit);
            found
        });
        read.await.map_err(|_| unavailable())
    }

    async fn rejections(&self, _: Option<&str>, limit: usize) -> Result<Vec<LoggedRejection>, StoreError> {
        Ok(self.shelf.state().rejections.values().rev().take(limit).cloned().collect())
    }

    async fn count(&self) -> Result<Option<u64>, StoreError> {
        Ok(Some(self.shelf.state().events.len() as u64))
    }

    async fn erase(&self, site: &str, person: &Person, before: Micros) -> Result<u64, StoreError> {
        let (shelf, site, person) = (Arc::clone(&self.shelf), site.to_owned(), person.clone());
        let erased = self.life.perform(Boundary::StoreErase, ERASE, move |_| {
            let mut state = shelf.state();
            let held = state.events.len();
            let goes = |logged: &Logged| logged.event.received_at.min(logged.event.original_at) <= before && is_theirs(logged, &person);
            state.events.retain(|(of, _), (_, logged)| *of != site || !goes(logged));
            (held - state.events.len()) as u64
        });
        erased.await.map_err(|_| unavailable())
    }

    async fn erase_rejections(&self, site: &str, which: Which) -> Result<u64, StoreError> {
        let (shelf, site) = (Arc::clone(&self.shelf), site.to_owned());
        let erased = self.life.perform(Boundary::StoreErase, ERASE, move |_| {
            let mut state = shelf.state();
            let held = state.rejections.len();
            state
                .rejections
                .retain(|_, logged| logged.rejection.site_id.as_deref().is_some_and(|of| of != site) || !which(&logged.rejection));
            (held - state.rejections.len()) as u64
        });
        erased.await.map_err(|_| unavailable())
    }

    async fn expire(&self, _: Micros, _: Micros) -> Result<Expired, StoreError> {
        Ok(Expired::default())
    }
}
