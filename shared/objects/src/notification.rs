//! "An object was written", delivered at least once.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::ObjectError;

/// An object that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The bucket.
    pub bucket: String,
    /// The key, decoded.
    pub key: String,
    /// `ETag` without quotes.
    pub etag: String,
    /// Bytes.
    pub size: u64,
}

/// A notification handed out; it comes again unless it is acknowledged.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Names the delivery to [`Notifications::acknowledge`].
    pub id: i64,
    /// How often it was handed out before.
    pub attempts: u32,
    /// What was written.
    pub notification: Notification,
}

/// A durable queue of notifications. What was written before a crash is delivered after it.
#[async_trait]
pub trait Notifications: Send + Sync + 'static {
    /// Up to `max` notifications whose key begins with `prefix`, oldest first; waits until there is one.
    /// What was handed out is not handed out again before it is acknowledged or refused.
    async fn receive(&self, prefix: &str, max: usize) -> Result<Vec<Delivery>, ObjectError>;
    /// The work is done; the notification is forgotten.
    async fn acknowledge(&self, ids: &[i64]) -> Result<(), ObjectError>;
    /// The work failed; hand it out again after `delay`.
    async fn refuse(&self, id: i64, delay: std::time::Duration) -> Result<(), ObjectError>;
    /// How many wait (handed out or not) under `prefix`.
    async fn pending(&self, prefix: &str) -> Result<u64, ObjectError>;
}
