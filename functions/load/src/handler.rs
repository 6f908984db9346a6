//! The work: an object that was announced, handed to ClickHouse unchanged.

use std::sync::Arc;

use bytes::Bytes;
use clickstream_erasure::{Erased, ErasureError, Tombstones};
use clickstream_objects::{Notification, ObjectError, SharedObjects};
use clickstream_telemetry::{freshness, metric, trace};

use crate::{LoadError, LoadInto};

/// What became of an announced object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadOutcome {
    /// Its rows are in `fresh`.
    Loaded,
    /// Its rows are settled already.
    Settled,
    /// It is there no more: it expired after it was settled.
    Gone,
    /// It is no raw object.
    Ignored,
}

/// Loads raw objects.
pub struct Load {
    objects: SharedObjects,
    warehouse: Box<dyn LoadInto>,
    tombstones: Arc<Tombstones>,
}

impl Load {
    /// Loads from `objects` into `warehouse`.
    pub fn new(objects: SharedObjects, warehouse: impl LoadInto) -> Self {
        let tombstones = Arc::new(Tombstones::new(Arc::clone(&objects), None));
        Self { objects, warehouse: Box::new(warehouse), tombstones }
    }

    /// Asks `tombstones` whose events are erased; by default those of the bucket with the bucket's own key.
    #[must_use]
    pub fn with_tombstones(self, tombstones: Arc<Tombstones>) -> Self {
        Self { tombstones, ..self }
    }

    /// Loads the announced object. Loading it twice changes nothing that is visible.
    pub async fn handle(&self, notification: &Notification) -> Result<LoadOutcome, LoadError> {
        let outcome = self.load(&notification.key).await?;
        let name = match outcome {
            LoadOutcome::Loaded => "loaded",
            LoadOutcome::Settled => "settled",
            LoadOutcome::Gone => "gone",
            LoadOutcome::Ignored => "ignored",
        };
        metrics::counter!(metric::LOADED_OBJECTS, "outcome" => name).increment(1);
        Ok(outcome)
    }

    async fn load(&self, key: &str) -> Result<LoadOutcome, LoadError> {
        let Some(place) = Place::of(key) else {
            tracing::warn!(key, "no raw object; nothing to load");
            return Ok(LoadOutcome::Ignored);
        };
        if let Some(commit) = self.warehouse.newest_commit().await?
            && commit.watermarks.get(&place.key()).is_some_and(|watermark| place.last < *watermark)
        {
            return Ok(LoadOutcome::Settled);
        }
        match self.objects.get(key).await {
            Ok((info, bytes)) => {
                let beside = info.metadata.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
                trace::continued("load", beside, self.insert(&place, bytes)).await?;
                freshness::loaded(&info.metadata);
                Ok(LoadOutcome::Loaded)
            }
            Err(ObjectError::NotFound(_)) => Ok(LoadOutcome::Gone),
            Err(error) => Err(error.into()),
        }
    }

    /// Inserts what is not erased. What is erased of the object goes out of `fresh` too: an earlier try may have put it
    /// there, and an erasure that began meanwhile may have looked before it stood.
    async fn insert(&self, place: &Place, bytes: Bytes) -> Result<(), LoadError> {
        let kept = without(bytes.clone(), self.tombstones.recent().await?).await?;
        self.warehouse.insert_raw(kept).await?;
        let erased = self.tombstones.fresh().await?;
        if erased.is_empty() {
            return Ok(());
        }
        let gone = erased_offsets(bytes, erased).await?;
        if !gone.is_empty() {
            self.warehouse.erase_places(&place.log_id, place.partition, &gone).await?;
        }
        Ok(())
    }
}

async fn erased_offsets(bytes: Bytes, erased: Arc<Erased>) -> Result<Vec<u64>, LoadError> {
    let found = tokio::task::spawn_blocking(move || erased.offsets(&bytes)).await;
    Ok(found.map_err(|e| ObjectError::Unavailable(e.to_string()))?.map_err(ErasureError::from)?)
}

/// Off the runtime's threads: an object of many rows takes a while.
async fn without(bytes: Bytes, erased: Arc<Erased>) -> Result<Bytes, LoadError> {
    if erased.is_empty() {
        return Ok(bytes);
    }
    let kept = tokio::task::spawn_blocking(move || erased.without(bytes)).await;
    Ok(kept.map_err(|e| ObjectError::Unavailable(e.to_string()))?.map_err(ErasureError::from)?)
}

/// What a raw key says: `raw/events/{log_id}/{partition:05}/{last:020}-{first:020}.parquet`.
struct Place {
    log_id: String,
    partition: u32,
    last: u64,
}

impl Place {
    fn of(key: &str) -> Option<Self> {
        let mut parts = key.strip_prefix("raw/events/")?.strip_suffix(".parquet")?.split('/');
        let (log_id, partition, offsets) = (parts.next()?, parts.next()?, parts.next()?);
        let partition: u32 = partition.parse().ok()?;
        let last = offsets.split_once('-')?.0.parse().ok()?;
        parts.next().is_none().then(|| Self { log_id: log_id.to_owned(), partition, last })
    }

    /// `{log_id}/{partition}`, as watermarks are keyed.
    fn key(&self) -> String {
        format!("{}/{}", self.log_id, self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_raw_key_names_its_partition_and_last_offset() {
        let place = Place::of("raw/events/l/00003/00000000000000000041-00000000000000000007.parquet").map(|p| (p.key(), p.last));
        assert_eq!(place, Some(("l/3".to_owned(), 41)));
        assert!(Place::of("raw/events/l/x.parquet").is_none());
    }
}
