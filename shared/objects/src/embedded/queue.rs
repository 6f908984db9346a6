//! Notifications of a bucket on a server, kept here until they are done.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use clickstream_sqlite::Failure;
use rusqlite::params;

use super::{
    index::Index,
    outbox::{Outbox, announced},
};
use crate::{Delivery, Notification, Notifications, ObjectError, ObjectInfo};

/// What waits already says it all.
const PUSH: &str = "INSERT INTO notifications (key, etag, size)
    SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM notifications WHERE key = ?1 AND etag = ?2)";

/// A durable queue: what a server announces is written down before it is answered, and handed out until it is
/// acknowledged. Announcements may be lost, repeated and out of order; every function that takes them bears that.
pub struct NotificationQueue {
    index: Arc<Index>,
    outbox: Outbox,
    bucket: String,
}

impl NotificationQueue {
    /// The queue in `folder` for `bucket`. The tables are those of the embedded bucket, without its objects.
    ///
    /// # Errors
    /// If the folder is in use or damaged.
    pub fn open(folder: &Path, bucket: &str) -> Result<Self, ObjectError> {
        let index = Arc::new(Index::open(folder, bucket)?);
        Ok(Self { outbox: Outbox::new(Arc::clone(&index), bucket), index, bucket: bucket.to_owned() })
    }

    /// Writes down what a server announced, durably, once while it waits; what is of another bucket, or of keys that
    /// nobody waits for, is left out. Returns how many were taken.
    ///
    /// # Errors
    /// If nothing can be written: then none was taken.
    pub fn push(&self, announcements: &[Notification]) -> Result<usize, ObjectError> {
        let ours: Vec<_> = announcements.iter().filter(|n| n.bucket == self.bucket && announced(&n.key)).collect();
        if !ours.is_empty() {
            let write = || -> Result<(), Failure> {
                let mut connection = self.index.connection();
                let transaction = connection.transaction()?;
                for Notification { key, etag, size, .. } in &ours {
                    transaction.execute(PUSH, params![key, etag, size.cast_signed()])?;
                }
                Ok(transaction.commit()?)
            };
            tokio::task::block_in_place(write)?;
            self.outbox.wake();
        }
        Ok(ours.len())
    }

    /// Writes down objects of the bucket that were found although nobody announced them.
    ///
    /// # Errors
    /// As of [`NotificationQueue::push`].
    pub fn push_found(&self, objects: Vec<ObjectInfo>) -> Result<usize, ObjectError> {
        let of = |object: ObjectInfo| Notification { bucket: self.bucket.clone(), key: object.key, etag: object.etag, size: object.size };
        self.push(&objects.into_iter().map(of).collect::<Vec<_>>())
    }
}

#[async_trait]
impl Notifications for NotificationQueue {
    async fn receive(&self, prefix: &str, max: usize) -> Result<Vec<Delivery>, ObjectError> {
        self.outbox.receive(prefix, max).await
    }

    async fn acknowledge(&self, ids: &[i64]) -> Result<(), ObjectError> {
        self.outbox.acknowledge(ids).await
    }

    async fn refuse(&self, id: i64, delay: Duration) -> Result<(), ObjectError> {
        self.outbox.refuse(id, delay).await
    }

    async fn pending(&self, prefix: &str) -> Result<u64, ObjectError> {
        self.outbox.pending(prefix).await
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn announcement(bucket: &str, key: &str) -> Notification {
        Notification { bucket: bucket.to_owned(), key: key.to_owned(), etag: "e".to_owned(), size: 1 }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_announced_comes_until_it_is_done_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let queue = NotificationQueue::open(folder.path(), "events").unwrap();
        let odd = "inbox/shop/a b+c%2F é.csv";
        let taken = queue.push(&[announcement("events", odd), announcement("other", "raw/x"), announcement("events", "lake/x")]).unwrap();
        assert_eq!(taken, 1);
        assert_eq!(queue.receive("inbox/", 9).await.unwrap()[0].notification.key, odd);
        queue.push(&[announcement("events", odd)]).unwrap();
        assert_eq!(queue.pending("inbox/").await.unwrap(), 1, "it waits once");
        drop(queue);
        let queue = NotificationQueue::open(folder.path(), "events").unwrap();
        let again = queue.receive("inbox/", 9).await.unwrap();
        assert_eq!(again[0].notification.key, odd);
        queue.acknowledge(&[again[0].id]).await.unwrap();
        assert_eq!(queue.pending("inbox/").await.unwrap(), 0);
    }
}
