//! Older versions of an object, where the bucket keeps them.

use aws_sdk_s3::{Client, error::ProvideErrorMetadata as _};

use super::errors;
use crate::ObjectError;

/// Removes every version of `key` but the one that stands; a marker of deletion goes with what it hides.
pub async fn delete_old(client: &Client, bucket: &str, key: &str) -> Result<u64, ObjectError> {
    // Once switched on, a bucket may have older versions, suspended or not.
    let asked = client.get_bucket_versioning().bucket(bucket).send().await;
    match asked {
        Ok(versioning) if versioning.status().is_none() => return Ok(0),
        Ok(_) => {}
        // A server that knows no versions keeps none.
        Err(error) if matches!(error.code(), Some("NotImplemented" | "MethodNotAllowed")) => return Ok(0),
        Err(error) => return Err(errors::of(key, error)),
    }
    let (mut removed, mut after): (u64, Option<(String, Option<String>)>) = (0, None);
    loop {
        let mut request = client.list_object_versions().bucket(bucket).prefix(key);
        if let Some((key, version)) = after.take() {
            request = request.key_marker(key).set_version_id_marker(version);
        }
        let page = request.send().await.map_err(|error| errors::of(key, error))?;
        let is_deleted = page.delete_markers().iter().any(|marker| marker.key() == Some(key) && marker.is_latest() == Some(true));
        let versions = page.versions().iter().filter(|v| v.key() == Some(key) && (is_deleted || v.is_latest() != Some(true)));
        let markers = page.delete_markers().iter().filter(|marker| marker.key() == Some(key));
        let ids = versions.filter_map(|v| v.version_id()).chain(markers.filter_map(|marker| marker.version_id()));
        for id in ids {
            let request = client.delete_object().bucket(bucket).key(key).version_id(id);
            request.send().await.map_err(|error| errors::of(key, error))?;
            removed += 1;
        }
        match (page.is_truncated(), page.next_key_marker()) {
            (Some(true), Some(next)) if next == key => after = Some((next.to_owned(), page.next_version_id_marker().map(str::to_owned))),
            _ => return Ok(removed),
        }
    }
}
