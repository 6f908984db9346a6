//! Forgetting in bounded steps, so that puts come through in between.

use clickstream_sqlite::{Failure, return_free_pages};

use super::{options::PAGE_BYTES, payload, writer::Writer};

/// Payloads gone through in one transaction.
const PAYLOADS_PER_STEP: usize = 16;
/// Rejections deleted in one transaction.
const REJECTIONS_PER_STEP: i64 = 500;

/// What a step did.
pub(super) struct Removed {
    /// Rows that went.
    pub(super) rows: u64,
    /// More may be left.
    pub(super) more: bool,
}

impl Writer {
    /// Forgets some events received before `before` (µs UTC).
    pub(super) fn expire_events(&mut self, before: i64) -> Result<Removed, Failure> {
        let Self { connection, compressor, .. } = self;
        let tx = connection.transaction()?;
        let ids: Vec<i64> = {
            let mut query =
                tx.prepare_cached("SELECT id FROM payloads WHERE oldest_received_at < ?1 ORDER BY oldest_received_at LIMIT ?2")?;
            query.query_map((before, PAYLOADS_PER_STEP as i64), |r| r.get(0))?.collect::<Result<_, _>>()?
        };
        let mut forgotten = 0;
        for id in &ids {
            forgotten += payload::remove(&tx, compressor, *id, |event| event.received_at.0 < before)?;
        }
        tx.prepare_cached("UPDATE tally SET events = events - ?1")?.execute([forgotten])?;
        tx.commit()?;
        self.wrote(3 * u64::from(PAGE_BYTES) * forgotten as u64);
        Ok(Removed { rows: forgotten as u64, more: ids.len() == PAYLOADS_PER_STEP })
    }

    /// Forgets some rejections received before `before` (µs UTC).
    pub(super) fn expire_rejections(&mut self, before: i64) -> Result<Removed, Failure> {
        let deleted = self
            .connection
            .prepare_cached(
                "DELETE FROM rejections WHERE id IN (
                    SELECT id FROM rejections WHERE received_at < ?1 ORDER BY received_at LIMIT ?2)",
            )?
            .execute((before, REJECTIONS_PER_STEP))?;
        self.wrote(4 * u64::from(PAGE_BYTES) * deleted as u64);
        Ok(Removed { rows: deleted as u64, more: deleted as i64 == REJECTIONS_PER_STEP })
    }

    /// Gives some free pages back to the disk.
    pub(super) fn shrink(&mut self) -> Result<Removed, Failure> {
        let more = return_free_pages(&self.connection)?;
        self.wrote(1 << 20);
        Ok(Removed { rows: 0, more })
    }
}
