//! The work: a batch of records into one Parquet object.

use std::{collections::BTreeMap, sync::Arc};

use clickstream_columns::{RawRow, raw_metadata, write_raw_rows};
use clickstream_erasure::{Tombstones, rewrite_raw};
use clickstream_event::Event;
use clickstream_log::{Batch, EVENTS, LoggedRecord};
use clickstream_objects::{Condition, ObjectError, PutOptions, SharedObjects};
use clickstream_telemetry::{freshness, metric, trace};

use crate::{LandError, raw_key};

/// A raw object that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LandedObject {
    /// Its key.
    pub key: String,
    /// Its first offset.
    pub first: u64,
    /// The offset after its last one.
    pub next: u64,
    /// Its rows, dead letters included.
    pub rows: usize,
}

/// Lands batches of one log.
pub struct Land {
    objects: SharedObjects,
    log_id: String,
    tombstones: Arc<Tombstones>,
}

/// What an object says of itself beside its bytes.
const COMPARED: [(&str, &str); 3] = [("log-id", "its log"), ("count", "its number of rows"), ("ids", "its event ids")];

impl Land {
    /// Lands records of the log `log_id` in `objects`.
    pub fn new(objects: SharedObjects, log_id: String) -> Self {
        let tombstones = Arc::new(Tombstones::new(Arc::clone(&objects), None));
        Self { objects, log_id, tombstones }
    }

    /// Asks `tombstones` whose events are erased; by default those of the bucket with the bucket's own key.
    #[must_use]
    pub fn with_tombstones(self, tombstones: Arc<Tombstones>) -> Self {
        Self { tombstones, ..self }
    }

    /// Writes the batch once: a batch that comes again finds its object, compares it and is done.
    pub async fn handle(&self, batch: &Batch) -> Result<LandedObject, LandError> {
        let (first, last) = offsets(batch)?;
        let key = raw_key(&self.log_id, batch.partition, first, last);
        let mut rows: Vec<(u64, RawRow)> = batch.records.iter().map(|r| (r.offset, row(batch, r))).collect();
        let metadata = raw_metadata(&self.log_id, &rows);
        let noted = beside(&rows);
        // An object says of which events it was made: a batch that comes again after an erasure is no other batch.
        let before = self.tombstones.recent().await?;
        before.forget(&mut rows);
        let (log_id, partition, count) = (self.log_id.clone(), batch.partition, rows.len());
        let encoded = tokio::task::spawn_blocking(move || write_raw_rows(&log_id, partition, &rows));
        let bytes = encoded.await.map_err(|e| ObjectError::Unavailable(e.to_string()))??;
        let options = PutOptions {
            condition: Condition::Absent,
            content_type: Some("application/vnd.apache.parquet".to_owned()),
            metadata: metadata.clone().into_iter().chain(noted).collect(),
        };
        let stood = match self.objects.put(&key, bytes, options).await {
            Ok(_) => {
                metrics::counter!(metric::LANDED_OBJECTS).increment(1);
                metrics::counter!(metric::LANDED_ROWS).increment(count as u64);
                false
            }
            Err(ObjectError::PreconditionFailed(_)) => {
                self.compare(&key, &metadata).await?;
                true
            }
            Err(error) => return Err(error.into()),
        };
        // An erasure that began meanwhile may have looked through raw/ before this object stood.
        let after = self.tombstones.fresh().await?;
        if stood || !Arc::ptr_eq(&before, &after) {
            rewrite_raw(&self.objects, &key, &after).await?;
        }
        Ok(LandedObject { key, first, next: last + 1, rows: count })
    }

    /// The object that stands must hold the same events.
    async fn compare(&self, key: &str, metadata: &BTreeMap<String, String>) -> Result<(), LandError> {
        let standing = self.objects.head(key).await?.metadata;
        match COMPARED.iter().find(|(name, _)| standing.get(*name) != metadata.get(*name)) {
            None => Ok(()),
            Some((_, what)) => Err(LandError::Different { key: key.to_owned(), what }),
        }
    }
}

/// What load wants to know of an object, and no repeat need say again: when its events came, and the span that landed it.
fn beside(rows: &[(u64, RawRow)]) -> BTreeMap<String, String> {
    let received = rows.iter().filter_map(|(_, row)| match row {
        RawRow::Event(event) => Some(event.received_at),
        RawRow::DeadLetter(_) => None,
    });
    let mut noted = freshness::received(received);
    noted.extend(trace::carried());
    noted
}

/// The first and the last offset of a batch of events that has every offset between them.
fn offsets(batch: &Batch) -> Result<(u64, u64), LandError> {
    if batch.topic != EVENTS {
        return Err(LandError::Topic(batch.topic.clone()));
    }
    let (Some(first), Some(last)) = (batch.records.first(), batch.records.last()) else { return Err(LandError::Empty) };
    let (first, last) = (first.offset, last.offset);
    match (first..).zip(&batch.records).find(|(offset, record)| *offset != record.offset) {
        Some((offset, _)) => Err(LandError::Hole { partition: batch.partition, offset }),
        None => Ok((first, last)),
    }
}

/// A record that is no event is landed all the same, so that offsets stay whole.
fn row(batch: &Batch, record: &LoggedRecord) -> RawRow {
    match serde_json::from_slice::<Event>(&record.record.value) {
        Ok(event) => RawRow::Event(Box::new(event)),
        Err(error) => {
            tracing::error!(partition = batch.partition, offset = record.offset, %error, "undecodable record; landed as a dead letter");
            metrics::counter!(metric::UNDECODABLE, "function" => "land").increment(1);
            RawRow::DeadLetter(record.record.value.to_vec())
        }
    }
}
