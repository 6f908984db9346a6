//! Notifications of the embedded bucket: rows written with the objects, deleted when acknowledged.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use clickstream_sqlite::Failure;
use rusqlite::{Transaction, params};
use tokio::sync::Notify;

use super::index::{Index, now, past};
use crate::{Delivery, Notification, Notifications, ObjectError};

/// Longest sleep between looks, in case a notification becomes due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Prefixes whose objects are announced; nobody listens for the others.
pub const ANNOUNCED: [&str; 3] = ["raw/", "inbox/", "spill/"];

/// True if objects of this name are announced.
pub fn announced(key: &str) -> bool {
    ANNOUNCED.iter().any(|prefix| key.starts_with(prefix))
}

/// Writes a notification down, with whatever else `transaction` writes.
pub fn announce(transaction: &Transaction<'_>, key: &str, etag: &str, size: u64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO notifications (key, etag, size) VALUES (?1, ?2, ?3)";
    transaction.execute(sql, params![key, etag, size.cast_signed()]).map(drop)
}

/// The queue.
pub struct Outbox {
    index: Arc<Index>,
    bucket: String,
    /// Handed out and not yet acknowledged or refused; forgotten by a restart, so that they come again.
    taken: Mutex<HashSet<i64>>,
    written: Notify,
}

impl Outbox {
    /// The queue of `index`.
    pub fn new(index: Arc<Index>, bucket: &str) -> Self {
        Self { index, bucket: bucket.to_owned(), taken: Mutex::new(HashSet::new()), written: Notify::new() }
    }

    /// Wakes who waits for notifications.
    pub fn wake(&self) {
        self.written.notify_waiters();
    }

    fn take(&self, prefix: &str, most: usize) -> Result<Vec<Delivery>, Failure> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = self.index.connection();
        let sql = "SELECT id, key, etag, size, attempts FROM notifications
                   WHERE key >= ?1 AND (?2 IS NULL OR key < ?2) AND due_at <= ?3 ORDER BY id LIMIT ?4";
        let mut statement = connection.prepare_cached(sql)?;
        let limit = (most + taken.len()) as i64;
        let rows = statement.query_map(params![prefix, past(prefix), now(), limit], |r| {
            Ok(Delivery {
                id: r.get(0)?,
                attempts: r.get(4)?,
                notification: Notification {
                    bucket: self.bucket.clone(),
                    key: r.get(1)?,
                    etag: r.get(2)?,
                    size: r.get::<_, i64>(3)?.cast_unsigned(),
                },
            })
        })?;
        let mut deliveries = Vec::new();
        for delivery in rows {
            let delivery = delivery?;
            if deliveries.len() < most && taken.insert(delivery.id) {
                deliveries.push(delivery);
            }
        }
        Ok(deliveries)
    }

    fn change(&self, ids: &[i64], change: impl Fn(&Transaction<'_>, i64) -> rusqlite::Result<usize>) -> Result<(), Failure> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut connection = self.index.connection();
        let transaction = connection.transaction()?;
        for id in ids {
            change(&transaction, *id)?;
        }
        transaction.commit()?;
        drop(connection);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        ids.iter().for_each(|id| {
            taken.remove(id);
        });
        Ok(())
    }
}

#[async_trait]
impl Notifications for Outbox {
    async fn receive(&self, prefix: &str, max: usize) -> Result<Vec<Delivery>, ObjectError> {
        loop {
            let written = self.written.notified();
            tokio::pin!(written);
            // Enabled before the look: what is written in between wakes us.
            written.as_mut().enable();
            let deliveries = tokio::task::block_in_place(|| self.take(prefix, max))?;
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
            let _ = tokio::time::timeout(LOOK_EVERY, written).await;
        }
    }

    async fn acknowledge(&self, ids: &[i64]) -> Result<(), ObjectError> {
        let deleted = tokio::task::block_in_place(|| self.change(ids, |t, id| t.execute("DELETE FROM notifications WHERE id = ?1", [id])));
        Ok(deleted?)
    }

    async fn refuse(&self, id: i64, delay: Duration) -> Result<(), ObjectError> {
        let due = now() + delay.as_micros() as i64;
        let sql = "UPDATE notifications SET attempts = attempts + 1, due_at = ?2 WHERE id = ?1";
        tokio::task::block_in_place(|| self.change(&[id], |t, id| t.execute(sql, params![id, due])))?;
        Ok(())
    }

    async fn pending(&self, prefix: &str) -> Result<u64, ObjectError> {
        let count = tokio::task::block_in_place(|| {
            let sql = "SELECT count(*) FROM notifications WHERE key >= ?1 AND (?2 IS NULL OR key < ?2)";
            self.index.connection().query_row(sql, params![prefix, past(prefix)], |r| r.get::<_, i64>(0)).map_err(Failure::from)
        })?;
        Ok(count.cast_unsigned())
    }
}
