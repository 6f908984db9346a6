//! A person's events.

use clickstream_event::{Event, Logged, Micros};
use uuid::Uuid;

use super::{ScyllaStore, buckets::month_of, walk};
use crate::{Cursor, Person, StoreError};

/// `timelines.kind` of a `user_id`.
pub(super) const USER: &str = "user";
/// `timelines.kind` of an `anonymous_id`.
pub(super) const ANONYMOUS: &str = "anonymous";

/// Rows read ahead of their events.
const MOST_ROWS: usize = 1_000;

impl ScyllaStore {
    /// See [`crate::EventStore::timeline`]. A row whose event was replaced by an earlier copy of another person or
    /// another time is passed over, so that a page may take more than one round.
    pub(super) async fn page(&self, site: &str, person: &Person, after: Option<Cursor>, limit: usize) -> Result<Vec<Logged>, StoreError> {
        // No id is above this one, and no moment after it.
        let mut after = after.unwrap_or(Cursor { original_at: Micros(i64::MAX), event_id: Uuid::max() });
        let newest = month_of(after.original_at);
        let months: Vec<(i32,)> = self.0.lanes.read(&self.0.statements.months, (site, newest)).await?;
        let mut months: Vec<i32> = months.into_iter().map(|(month,)| month).collect();
        let mut page = Vec::new();
        while page.len() < limit {
            let wanted = (limit - page.len()).min(MOST_ROWS);
            let rows = walk::rows(&months, wanted, |month| self.rows_of_month(site, person, month, after, wanted)).await?;
            let last = rows.last().copied();
            let is_all = rows.len() < wanted;
            page.extend(self.kept(site, person, rows).await?);
            match last {
                Some(last) if !is_all => after = last,
                _ => break,
            }
            months.retain(|month| *month <= month_of(after.original_at));
        }
        Ok(page)
    }

    pub(super) async fn rows_of_month(
        &self,
        site: &str,
        person: &Person,
        month: i32,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<Cursor>, StoreError> {
        let (kind, id) = named(person);
        let (at, event_id) = (after.original_at.0, &after.event_id.as_bytes()[..]);
        let values = (site, kind, id, month, at, event_id, limit as i32);
        let rows: Vec<(i64, Vec<u8>)> = self.0.lanes.read(&self.0.statements.timeline, values).await?;
        let cursor = |(at, id): (i64, Vec<u8>)| {
            let event_id = Uuid::from_slice(&id).map_err(|e| StoreError::Corrupt(format!("a timeline's event id is none: {e}")))?;
            Ok(Cursor { original_at: Micros(at), event_id })
        };
        rows.into_iter().map(cursor).collect()
    }

    /// The events that still stand where the timeline says.
    async fn kept(&self, site: &str, person: &Person, rows: Vec<Cursor>) -> Result<Vec<Logged>, StoreError> {
        let stands = |row: Cursor| async move {
            let event = self.find_event(site, row.event_id).await?;
            Ok(event.filter(|e| e.event.original_at == row.original_at && owns(person, &e.event)))
        };
        Ok(self.0.lanes.read_each(rows, stands).await?.into_iter().flatten().collect())
    }
}

/// `timelines.kind` and `timelines.person` of a person.
pub(super) fn named(person: &Person) -> (&'static str, &str) {
    match person {
        Person::User(id) => (USER, id),
        Person::Anonymous(id) => (ANONYMOUS, id),
    }
}

pub(super) fn owns(person: &Person, event: &Event) -> bool {
    match person {
        Person::User(id) => event.user_id.as_ref() == Some(id),
        Person::Anonymous(id) => event.anonymous_id.as_ref() == Some(id),
    }
}
