//! Older versions of objects, where the bucket keeps them.
//!
//! Not only of what this erasure rewrote or removed: what went long before, such as records that were spilled and are back
//! in the log, files of the lake that were merged, or raw objects that expired, still stands there as an older version.

use std::sync::Arc;

use clickstream_erasure::Erased;
use clickstream_objects::{ObjectError, Version};

use crate::{
    Erase, EraseError, Erasure,
    error::cut_off,
    files::{LARGEST, holds, ids},
};

impl Erase {
    pub(crate) async fn erase_versions(&self, erasure: &mut Erasure) -> Result<(), EraseError> {
        if !self.objects.keeps_versions().await? {
            return Ok(());
        }
        let keys: Vec<String> = erasure.rewritten.iter().chain(&erasure.deleted).cloned().collect();
        for key in keys {
            erasure.removed.versions += self.objects.delete_old_versions(&key).await?;
        }
        let (erased, site) = (self.erased(erasure).await?, erasure.site_id.clone());
        let of_site = [format!("inbox/{site}/"), format!("quarantine/{site}/"), format!("receipts/{site}/")];
        let of_all = ["raw/events/", "lake/events/", "spill/", "quarantine/spill/"].map(str::to_owned);
        for prefix in of_all.into_iter().chain(of_site) {
            self.look_through(erasure, &prefix, &erased).await?;
        }
        Ok(())
    }

    /// Removes older versions of objects under `prefix` that hold something of the person.
    async fn look_through(&self, erasure: &mut Erasure, prefix: &str, erased: &Arc<Erased>) -> Result<(), EraseError> {
        let mut after = None;
        loop {
            let page = self.objects.versions(prefix, after.as_ref()).await?;
            for version in page.versions.iter().filter(|version| !version.is_latest && !version.is_marker) {
                if version.size > LARGEST {
                    erasure.leave(&version.key, "an older version of it is too large to look through; remove the object's older versions");
                } else if self.is_of(version, erasure, erased).await? {
                    self.objects.delete_version(&version.key, &version.version_id).await?;
                    erasure.removed.versions += 1;
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Whether a version holds something of the person: rows of ours by their columns, anything else by its text.
    async fn is_of(&self, version: &Version, erasure: &Erasure, erased: &Arc<Erased>) -> Result<bool, EraseError> {
        let bytes = match self.objects.get_version(&version.key, &version.version_id).await {
            Ok(bytes) => bytes,
            Err(ObjectError::NotFound(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let (erased, ids, name) = (Arc::clone(erased), ids(erasure), version.key.clone());
        let of_ours = ["raw/events/", "lake/events/"].iter().any(|prefix| name.starts_with(prefix));
        let look = move || {
            if of_ours && name.ends_with(".parquet") {
                // One that cannot be read is judged by its text.
                return erased.count(&bytes).map_or_else(|_| holds(&name, bytes, &ids), |rows| rows > 0);
            }
            holds(&name, bytes, &ids)
        };
        tokio::task::spawn_blocking(look).await.map_err(cut_off)
    }
}
