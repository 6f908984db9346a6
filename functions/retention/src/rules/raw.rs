//! Raw objects, once settled and old. Nothing but this rule removes any.
//!
//! Names begin with the last offset, so that within a partition order is about age: what lies before an old object is old
//! itself, also where an erasure or a repair wrote it lately.

use clickstream_columns::{raw_offsets, raw_prefix};
use clickstream_erasure::LANDED_AT;
use clickstream_event::Micros;
use clickstream_objects::{ObjectError, ObjectInfo, expiring::EXPIRED};
use futures::future::try_join_all;

use super::{
    remover::{AT_ONCE, PAGE, Remover},
    tagged::Tagged,
};
use crate::{Applied, RawExpiry, Retention, RetentionError};

impl Retention {
    pub(crate) async fn raw(&self, dry_run: bool) -> Result<Vec<Applied>, RetentionError> {
        let days = self.settings.raw_days;
        let mut applied = Applied::new("raw objects", format!("{days} days once settled"), "objects");
        let Some(settled) = self.stores.warehouse.newest_commit().await? else { return Ok(vec![applied.noting("nothing is settled yet")]) };
        let before = self.days_ago(days);
        let tags = self.settings.raw_expiry == RawExpiry::Tag;
        let remover = Remover::of(&self.stores.objects, dry_run).await?;
        let mut tagged = if tags { Tagged::read(&self.stores.objects, self.now()).await? } else { Tagged::default() };
        for (place, watermark) in &settled.watermarks {
            let Some((log_id, partition)) = place.rsplit_once('/') else { continue };
            let Ok(partition) = partition.parse() else { continue };
            let prefix = raw_prefix(log_id, partition);
            let mut after = tagged.after(place);
            loop {
                let page = self.stores.objects.list(&prefix, after.as_deref(), PAGE).await?;
                let Some(last) = page.last() else { break };
                let settled: Vec<&ObjectInfo> =
                    page.iter().filter(|object| raw_offsets(&object.key).is_some_and(|(_, last)| last < *watermark)).collect();
                let old = &settled[..self.old(&settled, before).await?];
                applied.add(if tags { self.tag(old, dry_run).await? } else { remover.remove_all(&keys(old)).await? });
                if let Some(done) = old.last() {
                    tagged.done(place, &done.key);
                }
                // What follows a young object is young, and what follows one that is not settled is not settled.
                if old.len() < settled.len() || raw_offsets(&last.key).is_some_and(|(_, last)| last >= *watermark) {
                    break;
                }
                after = Some(last.key.clone());
            }
        }
        if tags && !dry_run {
            tagged.write(&self.stores.objects).await?;
        }
        Ok(vec![if tags { applied.noting("tagged; a rule of the bucket removes them") } else { applied }])
    }

    /// How many of these objects of one partition, from the first on, were landed before `before`.
    async fn old(&self, settled: &[&ObjectInfo], before: Micros) -> Result<usize, ObjectError> {
        let mut old = settled.iter().rposition(|object| object.modified_at < before.0).map_or(0, |at| at + 1);
        // Those that an erasure has rewritten since say themselves when they were landed.
        if let Some(last) = settled.last()
            && old < settled.len()
            && self.landed_before(last, before).await?
        {
            return Ok(settled.len());
        }
        while old < settled.len() && self.landed_before(settled[old], before).await? {
            old += 1;
        }
        Ok(old)
    }

    async fn landed_before(&self, object: &ObjectInfo, before: Micros) -> Result<bool, ObjectError> {
        match self.stores.objects.head(&object.key).await {
            Ok(info) => Ok(info.metadata.get(LANDED_AT).and_then(|at| at.parse::<i64>().ok()).is_some_and(|at| at < before.0)),
            // Another run was faster.
            Err(ObjectError::NotFound(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Tags objects; says how many were not tagged before.
    async fn tag(&self, objects: &[&ObjectInfo], dry_run: bool) -> Result<u64, ObjectError> {
        if dry_run {
            return Ok(objects.len() as u64);
        }
        let mut tagged = 0;
        for some in objects.chunks(AT_ONCE) {
            let new = try_join_all(some.iter().map(|object| self.tag_one(&object.key))).await?;
            tagged += new.into_iter().filter(|new| *new).count() as u64;
        }
        Ok(tagged)
    }

    async fn tag_one(&self, key: &str) -> Result<bool, ObjectError> {
        let (name, value) = EXPIRED;
        match self.stores.objects.tag(key, name, value).await {
            // The bucket was faster.
            Err(ObjectError::NotFound(_)) => Ok(false),
            tagged => tagged,
        }
    }
}

fn keys<'a>(objects: &[&'a ObjectInfo]) -> Vec<&'a str> {
    objects.iter().map(|object| object.key.as_str()).collect()
}
