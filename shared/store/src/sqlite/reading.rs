//! Events by id, and timelines.

use std::collections::HashMap;

use clickstream_event::Logged;
use clickstream_sqlite::Failure;
use rusqlite::{Connection, OptionalExtension, Transaction};
use uuid::Uuid;

use super::{
    payload::{Payload, Spot},
    person,
};
use crate::{Cursor, Person};

/// The kept copy of an event; where several sites have the id and none is asked for, the one
/// received first.
pub(super) fn find_event(tx: &Transaction<'_>, site: Option<&str>, event_id: Uuid) -> Result<Option<Logged>, Failure> {
    let spot = tx
        .prepare_cached(
            "SELECT payload_id, slot FROM events
             WHERE event_id = ?1 AND (?2 IS NULL OR site_id = (SELECT id FROM sites WHERE name = ?2))
             ORDER BY received_at, log_partition, log_offset, site_id LIMIT 1",
        )?
        .query_row((event_id.as_bytes(), site), |r| Ok(Spot { payload_id: r.get(0)?, slot: r.get(1)? }))
        .optional()?;
    spot.map(|spot| Unpacked::default().event(tx, spot)).transpose()
}

/// See [`crate::EventStore::timeline`].
pub(super) fn timeline(
    connection: &mut Connection,
    site: &str,
    person: &Person,
    after: Option<Cursor>,
    limit: usize,
) -> Result<Vec<Logged>, Failure> {
    // One snapshot, so that no payload expires between the index and it.
    let tx = connection.transaction()?;
    let mut query = tx.prepare_cached(
        "SELECT payload_id, slot FROM timelines
         WHERE person = ?1 AND (original_at, event_id) < (?2, ?3)
         ORDER BY original_at DESC, event_id DESC",
    )?;
    // No id is above this one, and no moment after it.
    let (at, id) = after.map_or((i64::MAX, Uuid::max()), |c| (c.original_at.0, c.event_id));
    let mut rows = query.query((person::key(site, person), at, id.as_bytes()))?;
    let mut unpacked = Unpacked::default();
    let mut events = Vec::new();
    while events.len() < limit
        && let Some(row) = rows.next()?
    {
        let event = unpacked.event(&tx, Spot { payload_id: row.get(0)?, slot: row.get(1)? })?;
        if person::owns(site, person, &event.event) {
            events.push(event);
        }
    }
    Ok(events)
}

/// Payloads unpacked during one call.
#[derive(Default)]
struct Unpacked(HashMap<i64, Payload>);

impl Unpacked {
    /// Payloads held at once; a long timeline goes through them in about their order.
    const LIMIT: usize = 64;

    fn event(&mut self, tx: &Transaction<'_>, spot: Spot) -> Result<Logged, Failure> {
        if let Some(payload) = self.0.get(&spot.payload_id) {
            return payload.event(spot.slot);
        }
        let payload =
            Payload::load(tx, spot.payload_id)?.ok_or_else(|| Failure::Corrupt(format!("payload {} is missing", spot.payload_id)))?;
        if self.0.len() >= Self::LIMIT {
            self.0.clear();
        }
        self.0.entry(spot.payload_id).or_insert(payload).event(spot.slot)
    }
}
