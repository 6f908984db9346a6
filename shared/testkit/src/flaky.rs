//! A bucket that fails when told to.

use std::{
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_objects::{ByteStream, ObjectError, ObjectInfo, Objects, PutOptions, SharedObjects};
use futures::{StreamExt as _, stream};

/// A bucket in front of another one.
pub struct Flaky {
    inner: SharedObjects,
    /// Writes fail and write nothing.
    pub takes_nothing: AtomicBool,
    /// Streams break off after their first piece.
    pub breaks_off: AtomicBool,
    /// Writes are done, and then told to have failed because the object stands.
    pub answers_twice: AtomicBool,
    /// The object of this key cannot be read.
    pub withheld: Mutex<Option<String>>,
}

impl Flaky {
    /// A bucket that works until it is told to fail.
    pub fn new(inner: SharedObjects) -> Self {
        let no = || AtomicBool::new(false);
        Self { inner, takes_nothing: no(), breaks_off: no(), answers_twice: no(), withheld: Mutex::new(None) }
    }

    fn writable(&self) -> Result<(), ObjectError> {
        if self.takes_nothing.load(Ordering::SeqCst) { Err(down()) } else { Ok(()) }
    }
}

fn down() -> ObjectError {
    ObjectError::Unavailable("told to fail".to_owned())
}

#[async_trait]
impl Objects for Flaky {
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<String, ObjectError> {
        self.writable()?;
        let written = self.inner.put(key, body, options).await;
        if self.answers_twice.load(Ordering::SeqCst) { Err(ObjectError::PreconditionFailed(key.to_owned())) } else { written }
    }

    async fn put_file(&self, key: &str, path: &Path, options: PutOptions) -> Result<String, ObjectError> {
        self.writable()?;
        self.inner.put_file(key, path, options).await
    }

    async fn get(&self, key: &str) -> Result<(ObjectInfo, Bytes), ObjectError> {
        if self.withheld.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(key) {
            return Err(down());
        }
        self.inner.get(key).await
    }

    async fn get_stream(&self, key: &str) -> Result<(ObjectInfo, ByteStream), ObjectError> {
        let (info, bytes) = self.inner.get_stream(key).await?;
        if !self.breaks_off.load(Ordering::SeqCst) {
            return Ok((info, bytes));
        }
        Ok((info, bytes.take(1).chain(stream::once(async { Err(down()) })).boxed()))
    }

    async fn get_range(&self, key: &str, start: u64, end: u64) -> Result<Bytes, ObjectError> {
        self.inner.get_range(key, start, end).await
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo, ObjectError> {
        self.inner.head(key).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>, max: usize) -> Result<Vec<ObjectInfo>, ObjectError> {
        self.inner.list(prefix, start_after, max).await
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        self.writable()?;
        self.inner.delete(key).await
    }
}
