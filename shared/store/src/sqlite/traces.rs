//! What a trace tells beside the kept copy: repeats, and that an event was erased.

use clickstream_event::Micros;
use clickstream_sqlite::Failure;
use rusqlite::{Connection, OptionalExtension, Transaction};
use uuid::Uuid;

use super::{expiry::Removed, options::PAGE_BYTES, writer::Writer};
use crate::{CopyAt, ErasedEvent};

/// Notes forgotten in one transaction.
const NOTES_PER_STEP: i64 = 500;

/// Notes a copy that is not kept, by `(received_at, partition, offset)`.
pub(super) fn add_repeat(tx: &Transaction<'_>, event_id: Uuid, site_id: i64, place: (i64, u32, u64)) -> Result<(), Failure> {
    let (received_at, partition, offset) = place;
    tx.prepare_cached(
        "INSERT INTO repeats (event_id, site_id, received_at, log_partition, log_offset) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
    )?
    .execute((event_id.as_bytes(), site_id, received_at, partition, offset as i64))?;
    Ok(())
}

/// Forgets the repeats of an event that goes.
pub(super) fn remove_repeats(tx: &Transaction<'_>, event_id: Uuid, site_id: i64) -> Result<(), Failure> {
    tx.prepare_cached("DELETE FROM repeats WHERE event_id = ?1 AND site_id = ?2")?.execute((event_id.as_bytes(), site_id))?;
    Ok(())
}

/// Notes that an event is erased; of two erasures the later one.
pub(super) fn note_erased(tx: &Transaction<'_>, site: &str, event_id: Uuid, erased_at: Micros) -> Result<(), Failure> {
    tx.prepare_cached(
        "INSERT INTO erased (event_id, site, erased_at) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET erased_at = max(erased_at, excluded.erased_at)",
    )?
    .execute((event_id.as_bytes(), site, erased_at.0))?;
    Ok(())
}

/// Every copy of an event, the kept one, which has the lowest place, first.
pub(super) fn copies(connection: &Connection, site: &str, event_id: Uuid) -> Result<Vec<CopyAt>, Failure> {
    let mut query = connection.prepare_cached(
        "SELECT received_at, log_partition, log_offset FROM events
         WHERE event_id = ?1 AND site_id = (SELECT id FROM sites WHERE name = ?2)
         UNION ALL
         SELECT received_at, log_partition, log_offset FROM repeats
         WHERE event_id = ?1 AND site_id = (SELECT id FROM sites WHERE name = ?2)
         ORDER BY 1, 2, 3",
    )?;
    let copy = |row: &rusqlite::Row<'_>| {
        let offset: i64 = row.get(2)?;
        Ok(CopyAt { received_at: Micros(row.get(0)?), partition: row.get(1)?, offset: offset as u64 })
    };
    Ok(query.query_map((event_id.as_bytes(), site), copy)?.collect::<Result<_, _>>()?)
}

/// Whether an event was erased; where several sites have the id and none is asked for, the latest.
pub(super) fn find_erased(tx: &Transaction<'_>, site: Option<&str>, event_id: Uuid) -> Result<Option<ErasedEvent>, Failure> {
    let found = tx
        .prepare_cached(
            "SELECT site, erased_at FROM erased WHERE event_id = ?1 AND (?2 IS NULL OR site = ?2) ORDER BY erased_at DESC, site LIMIT 1",
        )?
        .query_row((event_id.as_bytes(), site), |r| Ok(ErasedEvent { site_id: r.get(0)?, event_id, erased_at: Micros(r.get(1)?) }))
        .optional()?;
    Ok(found)
}

impl Writer {
    /// Notes that events are erased.
    pub(super) fn note_erased(&mut self, events: &[ErasedEvent]) -> Result<(), Failure> {
        let tx = self.connection.transaction()?;
        for event in events {
            note_erased(&tx, &event.site_id, event.event_id, event.erased_at)?;
        }
        tx.commit()?;
        self.wrote(2 * u64::from(PAGE_BYTES) * events.len() as u64);
        Ok(())
    }

    /// Forgets some notes of erasures before `before` (µs UTC).
    pub(super) fn expire_erased(&mut self, before: i64) -> Result<Removed, Failure> {
        let deleted = self
            .connection
            .prepare_cached(
                "DELETE FROM erased WHERE (event_id, site) IN (
                    SELECT event_id, site FROM erased WHERE erased_at < ?1 ORDER BY erased_at LIMIT ?2)",
            )?
            .execute((before, NOTES_PER_STEP))?;
        self.wrote(2 * u64::from(PAGE_BYTES) * deleted as u64);
        Ok(Removed { rows: deleted as u64, more: deleted as i64 == NOTES_PER_STEP })
    }
}
