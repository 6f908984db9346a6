//! The object port: immutable bytes under keys, conditional writes, and notifications of what was written.

pub mod conformance;
pub mod embedded;
pub mod expiring;
mod measured;
mod notification;
pub mod s3;
mod version;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

pub use measured::measured;
pub use notification::{Delivery, Notification, Notifications};
pub use version::{Version, VersionCursor, VersionPage};

/// A condition under which a PUT may take place. Checked and written atomically.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Always.
    #[default]
    None,
    /// Only if no object stands under the key (`If-None-Match: *`).
    Absent,
    /// Only over the object with this `ETag` (`If-Match`).
    Matches(String),
}

/// What to write beside the bytes.
#[derive(Clone, Debug, Default)]
pub struct PutOptions {
    /// Condition of the write.
    pub condition: Condition,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// User metadata (ASCII names and values).
    pub metadata: BTreeMap<String, String>,
}

/// What is known of an object without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// `ETag` without quotes.
    pub etag: String,
    /// Last written, µs UTC.
    pub modified_at: i64,
    /// User metadata; empty in listings.
    pub metadata: BTreeMap<String, String>,
}

/// What a caller can do about a failed call.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// No object stands under the key.
    #[error("no object {0}")]
    NotFound(String),
    /// The condition of a PUT did not hold; nothing was written.
    #[error("the object {0} stands already or has changed")]
    PreconditionFailed(String),
    /// The store cannot be reached or is overloaded; the same call may succeed later.
    #[error("the object store is unavailable: {0}")]
    Unavailable(String),
    /// The disk is full.
    #[error("the object store's disk is full")]
    Full,
    /// The store refuses the call; an operator or the caller must change something.
    #[error("the object store refuses: {0}")]
    Refused(String),
}

impl ObjectError {
    /// A bucket that keeps no tags was to put one on `key`.
    pub(crate) fn no_tags(key: &str) -> Self {
        Self::Refused(format!("the bucket's server keeps no tags of objects, such as of {key}"))
    }
}

/// A stream of an object's bytes.
pub type ByteStream = BoxStream<'static, Result<Bytes, ObjectError>>;

/// One bucket.
#[async_trait]
pub trait Objects: Send + Sync + 'static {
    /// Writes `body` under `key`, durably, and answers the new `ETag`.
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<String, ObjectError>;
    /// Writes a file of any size under `key` (multipart above 16 MiB).
    async fn put_file(&self, key: &str, path: &std::path::Path, options: PutOptions) -> Result<String, ObjectError>;
    /// The whole object.
    async fn get(&self, key: &str) -> Result<(ObjectInfo, Bytes), ObjectError>;
    /// The object as a stream; memory does not grow with its size.
    async fn get_stream(&self, key: &str) -> Result<(ObjectInfo, ByteStream), ObjectError>;
    /// Bytes `[start, end)` of the object.
    async fn get_range(&self, key: &str, start: u64, end: u64) -> Result<Bytes, ObjectError>;
    /// What is known of the object.
    async fn head(&self, key: &str) -> Result<ObjectInfo, ObjectError>;
    /// Up to `max` objects under `prefix` in key order, after `start_after`.
    async fn list(&self, prefix: &str, start_after: Option<&str>, max: usize) -> Result<Vec<ObjectInfo>, ObjectError>;
    /// Removes the object; no error if none is there.
    async fn delete(&self, key: &str) -> Result<(), ObjectError>;
    /// Removes every version of the object but the one that stands, of a removed object all of them; says how many. None
    /// where the bucket keeps no versions.
    async fn delete_old_versions(&self, key: &str) -> Result<u64, ObjectError> {
        let _ = key;
        Ok(0)
    }
    /// True if the bucket keeps older versions of its objects, or did once.
    async fn keeps_versions(&self) -> Result<bool, ObjectError> {
        Ok(false)
    }
    /// Removes the object with all its versions, the one that stands last, and says how many; 1 where the bucket keeps no
    /// versions.
    async fn delete_whole(&self, key: &str) -> Result<u64, ObjectError> {
        self.delete(key).await.map(|()| 1)
    }
    /// Versions of objects under `prefix`, those that stand among them, after `after`. None where the bucket keeps no
    /// versions.
    async fn versions(&self, prefix: &str, after: Option<&VersionCursor>) -> Result<VersionPage, ObjectError> {
        let _ = (prefix, after);
        Ok(VersionPage::default())
    }
    /// The bytes of one version.
    async fn get_version(&self, key: &str, version_id: &str) -> Result<Bytes, ObjectError> {
        let _ = version_id;
        Err(ObjectError::NotFound(key.to_owned()))
    }
    /// Removes one version for good; no error if it is gone.
    async fn delete_version(&self, key: &str, version_id: &str) -> Result<(), ObjectError> {
        let _ = (key, version_id);
        Ok(())
    }
    /// Puts the tag `name` = `value` (at most 128 and 256 characters) on the object beside those that it has; false if it
    /// has it already. Who writes the object anew takes its tags away. [`ObjectError::Refused`] where the bucket's server
    /// keeps no tags.
    async fn tag(&self, key: &str, name: &str, value: &str) -> Result<bool, ObjectError> {
        let _ = (name, value);
        Err(ObjectError::no_tags(key))
    }
}

/// Shared handle to a bucket.
pub type SharedObjects = Arc<dyn Objects>;
