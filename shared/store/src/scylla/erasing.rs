//! Forgetting a person: deletes as of the moment that they are forgotten.
//!
//! Rows are written as of `received_at`, so a delete as of the same moment or a later one outweighs them in whatever order
//! the two come, and no copy that is received afterwards. Servers drop the bytes themselves when they compact, after
//! `gc_grace_seconds`.

use std::collections::BTreeSet;

use clickstream_event::{Event, Micros};
use scylla::value::CqlTimestamp;
use uuid::Uuid;

use super::{
    ScyllaStore,
    buckets::{bucket_of, month_of},
    put::persons,
    rejected::{ALL, BUCKETS, Place, scope_of},
    timeline::{named, owns},
    ttl,
};
use crate::{Cursor, ErasedEvent, LoggedRejection, Person, StoreError, Which};

/// Rows of a timeline looked through together.
const ROWS: usize = 500;

/// One copy of an event: where it stands and what it is.
type Copy = (i64, i32, i64, String);

impl ScyllaStore {
    /// See [`crate::EventStore::erase`].
    pub(super) async fn erase_events(&self, site: &str, person: &Person, before: Micros) -> Result<u64, StoreError> {
        let mut erased = 0;
        let months: Vec<(i32,)> = self.0.lanes.read(&self.0.statements.months, (site, i32::MAX)).await?;
        for (month,) in months {
            let mut after = Cursor { original_at: Micros(i64::MAX), event_id: Uuid::max() };
            loop {
                let rows = self.rows_of_month(site, person, month, after, ROWS).await?;
                let ids: BTreeSet<Uuid> = rows.iter().map(|row| row.event_id).collect();
                let gone = self.0.lanes.read_each(ids.into_iter().collect(), |id| self.erase_event(site, id, person, before)).await?;
                erased += gone.into_iter().filter(|gone| *gone).count() as u64;
                self.erase_rows(site, person, month, &rows, before).await?;
                match rows.last() {
                    Some(last) if rows.len() == ROWS => after = *last,
                    _ => break,
                }
            }
        }
        Ok(erased)
    }

    /// The timeline's own rows, also those that a run that was killed left without their event.
    async fn erase_rows(&self, site: &str, person: &Person, month: i32, rows: &[Cursor], before: Micros) -> Result<(), StoreError> {
        let (kind, who) = named(person);
        let now = Micros::now().0;
        // What happened by then goes whenever it was received; of the rest what was received by then.
        let as_of = |row: &Cursor| if row.original_at <= before { now.max(before.0) } else { before.0 };
        let rows = rows.iter().map(|row| (as_of(row), site, kind, who, month, row.original_at.0, &row.event_id.as_bytes()[..]));
        self.0.lanes.write(&self.0.statements.delete_timeline, rows.collect()).await
    }

    /// Every copy of one event that is the person's and of that time, with the rows that lead to it. True if there was one.
    async fn erase_event(&self, site: &str, event_id: Uuid, person: &Person, before: Micros) -> Result<bool, StoreError> {
        let (lanes, statements) = (&self.0.lanes, &self.0.statements);
        let copies: Vec<Copy> = lanes.read(&statements.copies, (event_id, site)).await?;
        let mut found = false;
        for (received_at, partition, offset, json) in copies {
            let event: Event =
                serde_json::from_str(&json).map_err(|e| StoreError::Corrupt(format!("the row of event {event_id} is no event: {e}")))?;
            if !owns(person, &event) || (event.received_at > before && event.original_at > before) {
                continue;
            }
            if !found {
                // Before the first row goes: a run that is killed finds those that are left.
                self.note(&[ErasedEvent { site_id: site.to_owned(), event_id, erased_at: before }]).await?;
            }
            found = true;
            let as_of = before.0.max(received_at);
            let id = &event_id.as_bytes()[..];
            let rows = persons(&event).map(|(kind, who)| (as_of, site, kind, who, month_of(event.original_at), event.original_at.0, id));
            lanes.write(&statements.delete_event, vec![(as_of, event_id, site, received_at, partition, offset)]).await?;
            lanes.write(&statements.delete_timeline, rows.collect()).await?;
        }
        Ok(found)
    }

    /// See [`crate::EventStore::note_erased`]. Rows are written as of the moment itself, so that the later one stays.
    pub(super) async fn note(&self, events: &[ErasedEvent]) -> Result<(), StoreError> {
        let (days, now) = (self.0.retention.rejection_days, Micros::now());
        let rows = events.iter().filter_map(|ErasedEvent { site_id, event_id, erased_at: at }| {
            ttl::of(*at, days, now).map(|ttl| (*event_id, site_id.as_str(), at.0, at.0, ttl))
        });
        self.0.lanes.write(&self.0.statements.insert_erased, rows.collect()).await
    }

    /// See [`crate::EventStore::erase_rejections`].
    pub(super) async fn erase_rejected(&self, site: &str, which: &Which) -> Result<u64, StoreError> {
        let (lanes, statements) = (&self.0.lanes, &self.0.statements);
        // Those of no known site stand under the scope of all sites alone.
        let mut erased = 0;
        for (scope, of_no_site) in [(scope_of(site), false), (ALL.to_owned(), true)] {
            let mut before = CqlTimestamp(i64::MAX);
            loop {
                let buckets: Vec<(CqlTimestamp,)> = lanes.read(&statements.buckets, (&scope, before, BUCKETS as i32)).await?;
                for (bucket,) in &buckets {
                    let places: Vec<Place> = lanes.read(&statements.all_of_bucket, (&scope, *bucket)).await?;
                    let found = lanes.read_each(places, |place| self.rejected_at(place)).await?;
                    for logged in found.into_iter().flatten() {
                        if (!of_no_site || logged.rejection.site_id.is_none()) && which(&logged.rejection) {
                            self.erase_rejection(&logged).await?;
                            erased += 1;
                        }
                    }
                }
                match buckets.last() {
                    Some((last,)) if buckets.len() == BUCKETS => before = *last,
                    _ => break,
                }
            }
        }
        Ok(erased)
    }

    async fn erase_rejection(&self, logged: &LoggedRejection) -> Result<(), StoreError> {
        let (lanes, statements) = (&self.0.lanes, &self.0.statements);
        let rejection = &logged.rejection;
        let (at, partition, offset) = (rejection.received_at.0, logged.log_partition as i32, logged.log_offset as i64);
        let bucket = bucket_of(rejection.received_at);
        if let Some(id) = rejection.event_id {
            let site = rejection.site_id.as_deref().unwrap_or_default();
            lanes.write(&statements.delete_by_event, vec![(at, id, site, at, partition, offset)]).await?;
        }
        lanes.write(&statements.delete_rejection, vec![(at, partition, offset, at)]).await?;
        let scopes = rejection.site_id.as_deref().map(scope_of).into_iter().chain([ALL.to_owned()]);
        let rows = scopes.map(|scope| (at, scope, bucket, at, partition, offset)).collect();
        lanes.write(&statements.delete_by_age, rows).await
    }
}
