//! The work: an object that was announced, handed to ClickHouse unchanged.

use clickstream_objects::{Notification, ObjectError, SharedObjects};
use clickstream_telemetry::metric;

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
}

impl Load {
    /// Loads from `objects` into `warehouse`.
    pub fn new(objects: SharedObjects, warehouse: impl LoadInto) -> Self {
        Self { objects, warehouse: Box::new(warehouse) }
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
            && commit.watermarks.get(&place.partition).is_some_and(|watermark| place.last < *watermark)
        {
            return Ok(LoadOutcome::Settled);
        }
        match self.objects.get(key).await {
            Ok((_, bytes)) => {
                self.warehouse.insert_raw(bytes).await?;
                Ok(LoadOutcome::Loaded)
            }
            Err(ObjectError::NotFound(_)) => Ok(LoadOutcome::Gone),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a raw key says: `raw/events/{log_id}/{partition:05}/{last:020}-{first:020}.parquet`.
struct Place {
    /// `{log_id}/{partition}`, as watermarks are keyed.
    partition: String,
    last: u64,
}

impl Place {
    fn of(key: &str) -> Option<Self> {
        let mut parts = key.strip_prefix("raw/events/")?.strip_suffix(".parquet")?.split('/');
        let (log_id, partition, offsets) = (parts.next()?, parts.next()?, parts.next()?);
        let partition: u32 = partition.parse().ok()?;
        let last = offsets.split_once('-')?.0.parse().ok()?;
        parts.next().is_none().then(|| Self { partition: format!("{log_id}/{partition}"), last })
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_raw_key_names_its_partition_and_last_offset() {
        let place = Place::of("raw/events/l/00003/00000000000000000041-00000000000000000007.parquet").map(|p| (p.partition, p.last));
        assert_eq!(place, Some(("l/3".to_owned(), 41)));
        assert!(Place::of("raw/events/l/x.parquet").is_none());
    }
}
