//! Rejected events, by their place in the log.

use clickstream_event::Rejection;
use clickstream_sqlite::Failure;
use rusqlite::{Connection, Row, Transaction};
use uuid::Uuid;

use super::{
    options::PAGE_BYTES,
    packing::{Packed, pack, unpack},
    writer::Writer,
};
use crate::LoggedRejection;

const COLUMNS: &str = "log_partition, log_offset, checksum, data";

impl Writer {
    /// Puts `rejections` durably. What stands at a place is the last put, so that a new log, whose
    /// offsets begin anew, does not lose its own.
    pub(super) fn put_rejections(&mut self, rejections: &[LoggedRejection]) -> Result<(), Failure> {
        let mut bytes = 0;
        let tx = self.connection.transaction()?;
        {
            let mut insert = tx.prepare_cached(
                "INSERT INTO rejections (log_partition, log_offset, site, event_id, received_at, checksum, data)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (log_partition, log_offset) DO UPDATE SET site = excluded.site,
                    event_id = excluded.event_id, received_at = excluded.received_at,
                    checksum = excluded.checksum, data = excluded.data",
            )?;
            for logged in rejections {
                let rejection = &logged.rejection;
                let json =
                    serde_json::to_vec(rejection).map_err(|e| Failure::Corrupt(format!("a rejection cannot be written as JSON: {e}")))?;
                let packed = pack(logged.log_offset as i64, &json, &mut self.compressor)?;
                insert.execute((
                    logged.log_partition,
                    logged.log_offset as i64,
                    &rejection.site_id,
                    rejection.event_id.as_ref().map(Uuid::as_bytes),
                    rejection.received_at.0,
                    packed.checksum,
                    &packed.data,
                ))?;
                bytes += packed.data.len() as u64 + 4 * u64::from(PAGE_BYTES);
            }
        }
        tx.commit()?;
        self.wrote(bytes);
        Ok(())
    }
}

/// The newest rejection of an id.
pub(super) fn find_rejection(tx: &Transaction<'_>, site: Option<&str>, event_id: Uuid) -> Result<Option<LoggedRejection>, Failure> {
    let mut query = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM rejections WHERE event_id = ?1 AND (?2 IS NULL OR site = ?2)
         ORDER BY received_at DESC, log_partition DESC, log_offset DESC LIMIT 1"
    ))?;
    let mut rows = query.query((event_id.as_bytes(), site))?;
    rows.next()?.map(decode).transpose()
}

/// See [`crate::EventStore::rejections`].
pub(super) fn newest(connection: &Connection, site: Option<&str>, limit: usize) -> Result<Vec<LoggedRejection>, Failure> {
    let of_site = if site.is_some() { "WHERE site = ?1" } else { "WHERE ?1 IS NULL" };
    let mut query = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM rejections {of_site}
         ORDER BY received_at DESC, log_partition DESC, log_offset DESC LIMIT ?2"
    ))?;
    let mut rows = query.query((site, i64::try_from(limit).unwrap_or(i64::MAX)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(decode(row)?);
    }
    Ok(found)
}

/// Some rejections of `site` and of no known site with their row's number, of rows after `after`, in their order.
pub(super) fn some_of(tx: &Transaction<'_>, site: &str, after: i64, limit: i64) -> Result<Vec<(i64, LoggedRejection)>, Failure> {
    let mut query = tx.prepare_cached(&format!(
        "SELECT {COLUMNS}, id FROM rejections WHERE id > ?2 AND (site = ?1 OR site IS NULL) ORDER BY id LIMIT ?3"
    ))?;
    let mut rows = query.query((site, after, limit))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((row.get(4)?, decode(row)?));
    }
    Ok(found)
}

fn decode(row: &Row<'_>) -> Result<LoggedRejection, Failure> {
    let log_offset: i64 = row.get(1)?;
    let json = unpack(log_offset, &Packed { checksum: row.get(2)?, data: row.get(3)? })?;
    let rejection: Rejection =
        serde_json::from_slice(&json).map_err(|e| Failure::Corrupt(format!("the rejection at offset {log_offset} is none: {e}")))?;
    Ok(LoggedRejection { log_partition: row.get(0)?, log_offset: log_offset as u64, rejection })
}
