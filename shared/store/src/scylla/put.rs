//! Putting events.

use std::collections::{BTreeMap, HashMap};

use clickstream_event::{Event, Logged, Micros};
use uuid::Uuid;

use super::{
    ScyllaStore,
    buckets::month_of,
    timeline::{ANONYMOUS, USER},
    ttl,
};
use crate::{StoreError, copies};

/// Events serialized before other tasks get their turn.
const EVENTS_PER_TURN: usize = 128;
/// Rows that go together to one timeline: a batch stays below the 5 KiB at which Cassandra warns.
const ROWS_PER_BATCH: usize = 16;

/// Event id, site, `received_at`, partition, offset, JSON; time of writing and time to live, as all rows have them.
type EventRow<'a> = (Uuid, &'a str, i64, i32, i64, String, i64, i32);
/// Site, kind, person, month, `original_at`, event id.
type TimelineRow<'a> = (&'a str, &'static str, &'a str, i32, i64, &'a [u8], i64, i32);
/// Site, month.
type MonthRow<'a> = (&'a str, i32, i64, i32);

/// The rows of one call.
struct Rows<'a> {
    events: Vec<EventRow<'a>>,
    timelines: Vec<Vec<TimelineRow<'a>>>,
    /// The latest `received_at` of each month of each site.
    months: HashMap<(&'a str, i32), Micros>,
}

impl ScyllaStore {
    /// Every row of every event, or an error: then some may be written, and a repeat writes them all.
    ///
    /// A copy is a row of its own, which nothing replaces, so that neither order nor repeats of puts matter. Rows are
    /// written as of `received_at`.
    pub(super) async fn put(&self, events: &[Logged]) -> Result<(), StoreError> {
        let rows = self.rows_of(events).await?;
        let months = self.new_months(&rows.months);
        let (lanes, statements) = (&self.0.lanes, &self.0.statements);
        tokio::try_join!(
            lanes.write(&statements.insert_event, rows.events),
            lanes.write_groups(&statements.insert_timeline, rows.timelines),
            lanes.write(&statements.insert_month, months.iter().map(|(row, _)| *row).collect()),
        )?;
        for ((site, month, ..), until) in months {
            self.0.months.wrote((site.to_owned(), month), until);
        }
        Ok(())
    }

    async fn rows_of<'a>(&self, events: &'a [Logged]) -> Result<Rows<'a>, StoreError> {
        let copies = copies::copies(events);
        let now = Micros::now();
        let mut rows = Rows { events: Vec::with_capacity(copies.len()), timelines: Vec::new(), months: HashMap::new() };
        let mut timelines: BTreeMap<_, Vec<TimelineRow<'a>>> = BTreeMap::new();
        for some in copies.chunks(EVENTS_PER_TURN) {
            for logged in some {
                let event = &logged.event;
                // What is past its time already would end as soon as it is written.
                let Some(ttl) = ttl::of(event.received_at, self.0.retention.event_days, now) else { continue };
                let json =
                    serde_json::to_string(event).map_err(|e| StoreError::Corrupt(format!("an event cannot be written as JSON: {e}")))?;
                let (at, offset) = (event.received_at.0, logged.log_offset as i64);
                rows.events.push((event.event_id, &event.site_id, at, logged.log_partition as i32, offset, json, at, ttl));
                let month = month_of(event.original_at);
                for (kind, person) in persons(event) {
                    let row = (&*event.site_id, kind, person, month, event.original_at.0, &event.event_id.as_bytes()[..], at, ttl);
                    timelines.entry((row.0, kind, person, month)).or_default().push(row);
                    let latest = rows.months.entry((&event.site_id, month)).or_insert(event.received_at);
                    *latest = event.received_at.max(*latest);
                }
            }
            tokio::task::yield_now().await;
        }
        rows.timelines = timelines.values().flat_map(|rows| rows.chunks(ROWS_PER_BATCH).map(<[_]>::to_vec)).collect();
        Ok(rows)
    }

    /// Rows for the months that are not known to be written, each with the day until which it lasts: the end of the day
    /// on which an event was received plus the retention, so that one row a day is enough.
    fn new_months<'a>(&self, months: &HashMap<(&'a str, i32), Micros>) -> Vec<(MonthRow<'a>, i64)> {
        let now = Micros::now();
        let rows = months.iter().filter_map(|((site, month), received_at)| {
            let until = received_at.0.div_euclid(Micros::DAY) + 1;
            let end_of_day = Micros(until.saturating_mul(Micros::DAY));
            let ttl = ttl::of(end_of_day, self.0.retention.event_days, now)?;
            let known = self.0.months.has(&((*site).to_owned(), *month), until);
            (!known).then_some(((*site, *month, end_of_day.0, ttl), until))
        });
        rows.collect()
    }
}

/// The timelines that `event` belongs to: kind and person.
pub(super) fn persons(event: &Event) -> impl Iterator<Item = (&'static str, &str)> {
    let user = event.user_id.as_deref().map(|id| (USER, id));
    let anonymous = event.anonymous_id.as_deref().map(|id| (ANONYMOUS, id));
    user.into_iter().chain(anonymous)
}
