//! Forgetting a person for good: rows go, payloads are written anew without them, and freed pages are overwritten.

use clickstream_event::{Event, Micros};
use clickstream_sqlite::Failure;

use super::{options::PAGE_BYTES, payload, person, rejections, traces::note_erased, writer::Writer};
use crate::{Person, Which};

/// Payloads gone through in one transaction.
const PAYLOADS_PER_STEP: i64 = 16;
/// Rejections gone through in one transaction.
const REJECTIONS_PER_STEP: i64 = 500;

/// What a step did, and where the next one begins.
pub(super) struct Step {
    pub erased: u64,
    pub next: Option<i64>,
}

impl Writer {
    /// Erases some events of `person`, of payloads after `after`.
    pub(super) fn erase_events(&mut self, site: &str, person: &Person, before: Micros, after: i64) -> Result<Step, Failure> {
        let Self { connection, compressor, .. } = self;
        let tx = connection.transaction()?;
        let ids: Vec<i64> = {
            let mut query = tx.prepare_cached(
                "SELECT DISTINCT payload_id FROM timelines WHERE person = ?1 AND payload_id > ?2 ORDER BY payload_id LIMIT ?3",
            )?;
            query.query_map((person::key(site, person), after, PAYLOADS_PER_STEP), |r| r.get(0))?.collect::<Result<_, _>>()?
        };
        let erased = |event: &Event| person::owns(site, person, event) && (event.received_at <= before || event.original_at <= before);
        let (mut gone, mut gone_ids) = (0, Vec::new());
        for id in &ids {
            gone += payload::remove(&tx, compressor, *id, |event| {
                let goes = erased(event);
                if goes {
                    gone_ids.push(event.event_id);
                }
                goes
            })?;
        }
        for id in gone_ids {
            note_erased(&tx, site, id, before)?;
        }
        tx.prepare_cached("UPDATE tally SET events = events - ?1")?.execute([gone])?;
        tx.commit()?;
        self.wrote(3 * u64::from(PAGE_BYTES) * gone as u64);
        let next = ids.last().copied().filter(|_| ids.len() as i64 == PAYLOADS_PER_STEP);
        Ok(Step { erased: gone as u64, next })
    }

    /// Erases some rejections of `site`, and of no known site, for which `which` says so, of rows after `after`.
    pub(super) fn erase_rejections(&mut self, site: &str, which: &Which, after: i64) -> Result<Step, Failure> {
        let tx = self.connection.transaction()?;
        let rows = rejections::some_of(&tx, site, after, REJECTIONS_PER_STEP)?;
        let next = rows.last().map(|(id, _)| *id).filter(|_| rows.len() as i64 == REJECTIONS_PER_STEP);
        let mut gone = 0;
        for (id, _) in rows.iter().filter(|(_, logged)| which(&logged.rejection)) {
            gone += tx.prepare_cached("DELETE FROM rejections WHERE id = ?1")?.execute([id])?;
        }
        tx.commit()?;
        self.wrote(4 * u64::from(PAGE_BYTES) * gone as u64);
        Ok(Step { erased: gone as u64, next })
    }

    /// Has the file forget what the write-ahead log still holds of pages as they were.
    pub(super) fn forget_pages(&mut self) -> Result<(), Failure> {
        // A reader in the middle of a question keeps some of the log; the next checkpoint takes it.
        let busy: i64 = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0))?;
        if busy != 0 {
            tracing::info!("the write-ahead log of the event store is in use and is cut later");
        }
        Ok(())
    }
}
