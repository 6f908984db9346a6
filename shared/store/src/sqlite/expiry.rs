//! Forgetting in bounded steps, so that puts come through in between.

use clickstream_sqlite::{Failure, return_free_pages};
use rusqlite::{OptionalExtension, Transaction};

use super::{
    options::PAGE_BYTES,
    packing::pack,
    payload::{self, Payload},
    person,
    put::remove_from_timeline,
    writer::Writer,
};

/// Payloads gone through in one transaction.
const PAYLOADS_PER_STEP: usize = 16;
/// Rejections deleted in one transaction.
const REJECTIONS_PER_STEP: i64 = 500;

impl Writer {
    /// Forgets some events received before `before` (µs UTC); returns whether more may be left.
    pub(super) fn expire_events(&mut self, before: i64) -> Result<bool, Failure> {
        let Self { connection, compressor, .. } = self;
        let tx = connection.transaction()?;
        let ids: Vec<i64> = {
            let mut query =
                tx.prepare_cached("SELECT id FROM payloads WHERE oldest_received_at < ?1 ORDER BY oldest_received_at LIMIT ?2")?;
            query.query_map((before, PAYLOADS_PER_STEP as i64), |r| r.get(0))?.collect::<Result<_, _>>()?
        };
        let mut forgotten = 0;
        for id in &ids {
            forgotten += expire_payload(&tx, compressor, *id, before)?;
        }
        tx.prepare_cached("UPDATE tally SET events = events - ?1")?.execute([forgotten])?;
        tx.commit()?;
        self.wrote(3 * u64::from(PAGE_BYTES) * forgotten as u64);
        Ok(ids.len() == PAYLOADS_PER_STEP)
    }

    /// Forgets some rejections received before `before` (µs UTC); returns whether more may be left.
    pub(super) fn expire_rejections(&mut self, before: i64) -> Result<bool, Failure> {
        let deleted = self
            .connection
            .prepare_cached(
                "DELETE FROM rejections WHERE id IN (
                    SELECT id FROM rejections WHERE received_at < ?1 ORDER BY received_at LIMIT ?2)",
            )?
            .execute((before, REJECTIONS_PER_STEP))?;
        self.wrote(4 * u64::from(PAGE_BYTES) * deleted as u64);
        Ok(deleted as i64 == REJECTIONS_PER_STEP)
    }

    /// Gives some free pages back to the disk; returns whether more are left.
    pub(super) fn shrink(&mut self) -> Result<bool, Failure> {
        let more = return_free_pages(&self.connection)?;
        self.wrote(1 << 20);
        Ok(more)
    }
}

/// Empties the slots of one payload that are old, and those whose event was replaced; deletes the
/// payload when none is left. Returns how many events are gone.
fn expire_payload(tx: &Transaction<'_>, compressor: &mut zstd::bulk::Compressor<'_>, id: i64, before: i64) -> Result<i64, Failure> {
    let Some(old) = Payload::load(tx, id)? else { return Ok(0) };
    let mut body = Vec::new();
    let mut oldest_left: Option<i64> = None;
    let mut forgotten = 0;
    for (slot, found) in (0_u32..).zip(old.slots()?) {
        let Some(found) = found else {
            payload::push_empty(&mut body);
            continue;
        };
        let event = old.decode(found)?.event;
        let key = (event.event_id.as_bytes(), &event.site_id, id, slot);
        let current: Option<i64> = tx
            .prepare_cached(
                "SELECT site_id FROM events WHERE event_id = ?1
                 AND site_id = (SELECT id FROM sites WHERE name = ?2) AND payload_id = ?3 AND slot = ?4",
            )?
            .query_row(key, |r| r.get(0))
            .optional()?;
        let Some(site_id) = current else {
            payload::push_empty(&mut body);
            continue;
        };
        if event.received_at.0 >= before {
            payload::push(&mut body, found.log_partition, found.log_offset, found.json);
            oldest_left = Some(oldest_left.map_or(event.received_at.0, |o| o.min(event.received_at.0)));
            continue;
        }
        payload::push_empty(&mut body);
        tx.prepare_cached("DELETE FROM events WHERE event_id = ?1 AND site_id = ?2")?.execute((event.event_id.as_bytes(), site_id))?;
        for person in person::keys_of(&event) {
            remove_from_timeline(tx, person, event.original_at.0, event.event_id)?;
        }
        forgotten += 1;
    }
    if let Some(oldest) = oldest_left {
        let packed = pack(id, &body, compressor)?;
        tx.prepare_cached("UPDATE payloads SET oldest_received_at = ?2, checksum = ?3, data = ?4 WHERE id = ?1")?.execute((
            id,
            oldest,
            packed.checksum,
            &packed.data,
        ))?;
    } else {
        tx.prepare_cached("DELETE FROM payloads WHERE id = ?1")?.execute([id])?;
    }
    Ok(forgotten)
}
