//! Older versions of objects, where the bucket keeps them.

use aws_sdk_s3::{Client, error::ProvideErrorMetadata as _};
use bytes::Bytes;

use super::errors;
use crate::{ObjectError, Version, VersionCursor, VersionPage};

/// Whether the bucket keeps versions, or did once: suspended, it still has those of before.
pub async fn kept(client: &Client, bucket: &str) -> Result<bool, ObjectError> {
    match client.get_bucket_versioning().bucket(bucket).send().await {
        Ok(versioning) => Ok(versioning.status().is_some()),
        // A server that knows no versions keeps none.
        Err(error) if matches!(error.code(), Some("NotImplemented" | "MethodNotAllowed")) => Ok(false),
        Err(error) => Err(errors::of(bucket, error)),
    }
}

/// Some versions of objects under `prefix`, in the order of their keys, the newest of a key first.
pub async fn page(client: &Client, bucket: &str, prefix: &str, after: Option<&VersionCursor>) -> Result<VersionPage, ObjectError> {
    let mut request = client.list_object_versions().bucket(bucket).prefix(prefix);
    if let Some(VersionCursor { key, version_id }) = after {
        request = request.key_marker(key).set_version_id_marker(version_id.clone());
    }
    let page = request.send().await.map_err(|error| errors::of(prefix, error))?;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let versions = page.versions().iter().map(|version| Version {
        key: text(version.key()),
        version_id: text(version.version_id()),
        size: version.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
        is_latest: version.is_latest() == Some(true),
        is_marker: false,
    });
    let markers = page.delete_markers().iter().map(|marker| Version {
        key: text(marker.key()),
        version_id: text(marker.version_id()),
        size: 0,
        is_latest: marker.is_latest() == Some(true),
        is_marker: true,
    });
    let next = match (page.is_truncated(), page.next_key_marker()) {
        (Some(true), Some(key)) => {
            Some(VersionCursor { key: key.to_owned(), version_id: page.next_version_id_marker().map(str::to_owned) })
        }
        _ => None,
    };
    Ok(whole_keys(VersionPage { versions: versions.chain(markers).collect(), next }))
}

/// Leaves the key at which a page ends to the next one: from the middle of a key on, MinIO goes on with the one after it.
/// A page that one key fills stays as it is.
fn whole_keys(page: VersionPage) -> VersionPage {
    let VersionPage { mut versions, next } = page;
    let Some(next) = next else { return VersionPage { versions, next: None } };
    match versions.iter().map(|version| &version.key).filter(|key| **key != next.key).max().cloned() {
        None => VersionPage { versions, next: Some(next) },
        Some(key) => {
            versions.retain(|version| version.key != next.key);
            VersionPage { versions, next: Some(VersionCursor { key, version_id: None }) }
        }
    }
}

/// Removes every version of `key` but the one that stands, and says how many; of a removed object all of them go, and
/// its marker of deletion last, so that none of them stands again meanwhile.
pub async fn delete_old(client: &Client, bucket: &str, key: &str) -> Result<u64, ObjectError> {
    if !kept(client, bucket).await? {
        return Ok(0);
    }
    let mut removed = 0;
    loop {
        let (latest, older): (Vec<_>, Vec<_>) = all_of(client, bucket, key).await?.into_iter().partition(|version| version.is_latest);
        if older.is_empty() {
            let marker: Vec<_> = latest.into_iter().filter(|version| version.is_marker).collect();
            return Ok(removed + delete_each(client, bucket, &marker).await?);
        }
        // MinIO may end the list of a key after a page: what is left shows once the rest is gone.
        removed += delete_each(client, bucket, &older).await?;
    }
}

/// Removes an object with all its versions, the one that stands last: cut off, the object is still there to be removed.
pub async fn delete_whole(client: &Client, bucket: &str, key: &str) -> Result<u64, ObjectError> {
    let older = delete_old(client, bucket, key).await?;
    Ok(older + delete_each(client, bucket, &all_of(client, bucket, key).await?).await?)
}

/// The bytes of one version.
pub async fn get(client: &Client, bucket: &str, key: &str, version_id: &str) -> Result<Bytes, ObjectError> {
    let got = client.get_object().bucket(bucket).key(key).version_id(version_id).send().await.map_err(|e| errors::of(key, e))?;
    Ok(got.body.collect().await.map_err(|e| ObjectError::Unavailable(e.to_string()))?.into_bytes())
}

/// Removes one version for good; no error if it is gone.
pub async fn delete(client: &Client, bucket: &str, key: &str, version_id: &str) -> Result<(), ObjectError> {
    let removed = client.delete_object().bucket(bucket).key(key).version_id(version_id).send().await;
    removed.map(|_| ()).map_err(|error| errors::of(key, error))
}

/// Every version of `key`, read before any is removed.
async fn all_of(client: &Client, bucket: &str, key: &str) -> Result<Vec<Version>, ObjectError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = page(client, bucket, key, after.as_ref()).await?;
        found.extend(page.versions.into_iter().filter(|version| version.key == key));
        // The prefix is the first of the keys that begin with it.
        after = page.next.filter(|next| next.key == key);
        if after.is_none() {
            return Ok(found);
        }
    }
}

async fn delete_each(client: &Client, bucket: &str, versions: &[Version]) -> Result<u64, ObjectError> {
    for version in versions {
        delete(client, bucket, &version.key, &version.version_id).await?;
    }
    Ok(versions.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(keys: &[&str], next: Option<&str>) -> VersionPage {
        let version =
            |key: &&str| Version { key: (*key).to_owned(), version_id: "v".to_owned(), size: 1, is_latest: false, is_marker: false };
        let next = next.map(|key| VersionCursor { key: key.to_owned(), version_id: Some("v".to_owned()) });
        VersionPage { versions: keys.iter().map(version).collect(), next }
    }

    /// Keys of a page that was made whole, and where the next one begins.
    fn whole(keys: &[&str], next: Option<&str>) -> (Vec<String>, Option<(String, bool)>) {
        let page = whole_keys(page(keys, next));
        let next = page.next.map(|next| (next.key, next.version_id.is_some()));
        (page.versions.into_iter().map(|version| version.key).collect(), next)
    }

    #[test]
    fn a_page_ends_with_the_last_version_of_a_key() {
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        assert_eq!(whole(&["a", "b", "b"], None), (keys(&["a", "b", "b"]), None));
        // Markers of deletion come after the versions.
        assert_eq!(whole(&["a", "b", "c", "a", "c"], Some("c")), (keys(&["a", "b", "a"]), Some(("b".to_owned(), false))));
        assert_eq!(whole(&["a", "a"], Some("a")), (keys(&["a", "a"]), Some(("a".to_owned(), true))));
    }
}
