//! A bucket whose requests are measured.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_telemetry::called;

use crate::{ByteStream, ObjectError, ObjectInfo, Objects, PutOptions, SharedObjects, VersionCursor, VersionPage};

/// The name of this client in metrics.
const CLIENT: &str = "objects";

/// Counts and times what `objects` is asked for, of a stream its beginning.
pub fn measured(objects: SharedObjects) -> SharedObjects {
    Arc::new(Measured(objects))
}

struct Measured(SharedObjects);

/// That nothing is there, or something else stands there, is an answer.
fn is_failure(error: &ObjectError) -> bool {
    !matches!(error, ObjectError::NotFound(_) | ObjectError::PreconditionFailed(_))
}

#[async_trait]
#[deny(clippy::missing_trait_methods, reason = "what a port says by default would stand in for what its adapter does")]
impl Objects for Measured {
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<String, ObjectError> {
        called(CLIENT, "put", is_failure, self.0.put(key, body, options)).await
    }

    async fn put_file(&self, key: &str, path: &Path, options: PutOptions) -> Result<String, ObjectError> {
        called(CLIENT, "put_file", is_failure, self.0.put_file(key, path, options)).await
    }

    async fn get(&self, key: &str) -> Result<(ObjectInfo, Bytes), ObjectError> {
        called(CLIENT, "get", is_failure, self.0.get(key)).await
    }

    async fn get_stream(&self, key: &str) -> Result<(ObjectInfo, ByteStream), ObjectError> {
        called(CLIENT, "get_stream", is_failure, self.0.get_stream(key)).await
    }

    async fn get_range(&self, key: &str, start: u64, end: u64) -> Result<Bytes, ObjectError> {
        called(CLIENT, "get_range", is_failure, self.0.get_range(key, start, end)).await
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo, ObjectError> {
        called(CLIENT, "head", is_failure, self.0.head(key)).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>, max: usize) -> Result<Vec<ObjectInfo>, ObjectError> {
        called(CLIENT, "list", is_failure, self.0.list(prefix, start_after, max)).await
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        called(CLIENT, "delete", is_failure, self.0.delete(key)).await
    }

    async fn delete_old_versions(&self, key: &str) -> Result<u64, ObjectError> {
        called(CLIENT, "delete_old_versions", is_failure, self.0.delete_old_versions(key)).await
    }

    async fn keeps_versions(&self) -> Result<bool, ObjectError> {
        called(CLIENT, "keeps_versions", is_failure, self.0.keeps_versions()).await
    }

    async fn delete_whole(&self, key: &str) -> Result<u64, ObjectError> {
        called(CLIENT, "delete_whole", is_failure, self.0.delete_whole(key)).await
    }

    async fn versions(&self, prefix: &str, after: Option<&VersionCursor>) -> Result<VersionPage, ObjectError> {
        called(CLIENT, "versions", is_failure, self.0.versions(prefix, after)).await
    }

    async fn get_version(&self, key: &str, version_id: &str) -> Result<Bytes, ObjectError> {
        called(CLIENT, "get_version", is_failure, self.0.get_version(key, version_id)).await
    }

    async fn delete_version(&self, key: &str, version_id: &str) -> Result<(), ObjectError> {
        called(CLIENT, "delete_version", is_failure, self.0.delete_version(key, version_id)).await
    }

    async fn tag(&self, key: &str, name: &str, value: &str) -> Result<bool, ObjectError> {
        called(CLIENT, "tag", is_failure, self.0.tag(key, name, value)).await
    }
}
