//! Objects removed some at a time, with every version that the bucket keeps of them.

use clickstream_event::Micros;
use clickstream_objects::{ObjectError, SharedObjects};
use futures::future::try_join_all;

/// Objects listed at a time.
pub const PAGE: usize = 1_000;
/// Objects handled at once.
pub const AT_ONCE: usize = 16;

/// Removes objects of one bucket.
pub struct Remover<'a> {
    objects: &'a SharedObjects,
    keeps_versions: bool,
    dry_run: bool,
}

impl<'a> Remover<'a> {
    /// Asks once whether the bucket keeps versions.
    pub async fn of(objects: &'a SharedObjects, dry_run: bool) -> Result<Self, ObjectError> {
        Ok(Self { objects, keeps_versions: objects.keeps_versions().await?, dry_run })
    }

    /// Removes one object; again changes nothing.
    pub async fn remove(&self, key: &str) -> Result<(), ObjectError> {
        if self.dry_run {
            return Ok(());
        }
        if self.keeps_versions { self.objects.delete_whole(key).await.map(drop) } else { self.objects.delete(key).await }
    }

    /// Removes all of them; says how many.
    pub async fn remove_all(&self, keys: &[&str]) -> Result<u64, ObjectError> {
        for some in keys.chunks(AT_ONCE) {
            try_join_all(some.iter().map(|key| self.remove(key))).await?;
        }
        Ok(keys.len() as u64)
    }

    /// Removes objects under `prefix` that were written before `moment`; says how many.
    pub async fn remove_older(&self, prefix: &str, moment: Micros) -> Result<u64, ObjectError> {
        let (mut removed, mut after) = (0, None::<String>);
        loop {
            let page = self.objects.list(prefix, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(removed) };
            after = Some(last.key.clone());
            let keys: Vec<&str> = page.iter().filter(|object| object.modified_at < moment.0).map(|object| object.key.as_str()).collect();
            removed += self.remove_all(&keys).await?;
        }
    }
}
