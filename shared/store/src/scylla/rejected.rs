//! Rejections: by place, by age, by event.

use std::collections::{BTreeMap, BTreeSet};

use clickstream_event::{Micros, Rejection};
use scylla::value::{CqlTimestamp, MaybeUnset};
use uuid::Uuid;

use super::{
    ScyllaStore,
    buckets::{bucket_of, end_of_bucket},
    ttl, walk,
};
use crate::{LoggedRejection, StoreError};

/// The scope of rejections of all sites.
pub(super) const ALL: &str = "all";
/// JSON longer than this is compressed, bytes. A record of 4 MiB, which a file may have, would otherwise come near the
/// 16 MiB that servers take in one write.
const LONG: usize = 64 << 10;
/// No rejection is longer, bytes; protects a reader from a damaged length.
const LONGEST: usize = 256 << 20;
/// Rows that go together to one bucket: a batch stays below the 5 KiB at which Cassandra warns.
const ROWS_PER_BATCH: usize = 32;
/// Buckets looked up at once.
pub(super) const BUCKETS: usize = 256;

/// `received_at`, partition, offset.
pub(super) type Place = (i64, i32, i64);

impl ScyllaStore {
    /// The rejections first, then what leads to them, so that nothing leads nowhere.
    pub(super) async fn put_rejected(&self, rejections: &[LoggedRejection]) -> Result<(), StoreError> {
        let (lanes, statements, now) = (&self.0.lanes, &self.0.statements, Micros::now());
        let days = self.0.retention.rejection_days;
        let (mut rows, mut by_event) = (Vec::new(), Vec::new());
        let mut by_age: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut buckets = BTreeSet::new();
        for logged in rejections {
            let rejection = &logged.rejection;
            let Some(ttl) = ttl::of(rejection.received_at, days, now) else { continue };
            let (at, partition, offset) = place(logged);
            let (json, packed) = encoded(rejection)?;
            rows.push((partition, offset, at, json, packed, at, ttl));
            if let Some(id) = rejection.event_id {
                by_event.push((id, rejection.site_id.as_deref().unwrap_or_default(), at, partition, offset, at, ttl));
            }
            let bucket = bucket_of(rejection.received_at);
            for scope in std::iter::once(ALL.to_owned()).chain(rejection.site_id.as_deref().map(scope_of)) {
                buckets.insert((scope.clone(), bucket.0, end_of_bucket(rejection.received_at)));
                by_age.entry((scope.clone(), bucket.0)).or_default().push((scope, bucket, at, partition, offset, at, ttl));
            }
        }
        lanes.write(&statements.insert_rejection, rows).await?;
        let by_age = by_age.values().flat_map(|rows| rows.chunks(ROWS_PER_BATCH).map(<[_]>::to_vec)).collect();
        let new: Vec<_> =
            buckets.into_iter().filter(|(scope, bucket, end)| !self.0.buckets.has(&(scope.clone(), *bucket), end.0)).collect();
        let bucket_rows = new.iter().filter_map(|(scope, bucket, end)| {
            let ttl = ttl::of(*end, days, now)?;
            Some((scope.as_str(), CqlTimestamp(*bucket), end.0, ttl))
        });
        tokio::try_join!(
            lanes.write(&statements.insert_by_event, by_event),
            lanes.write_groups(&statements.insert_by_age, by_age),
            lanes.write(&statements.insert_bucket, bucket_rows.collect()),
        )?;
        for (scope, bucket, end) in new {
            self.0.buckets.wrote((scope, bucket), end.0);
        }
        Ok(())
    }

    /// The newest rejection of an id.
    pub(super) async fn find_rejected(&self, site: Option<&str>, event_id: Uuid) -> Result<Option<LoggedRejection>, StoreError> {
        let (lanes, statements) = (&self.0.lanes, &self.0.statements);
        let places: Vec<Place> = match site {
            Some(site) => lanes.read(&statements.by_event_of_site, (event_id, site)).await?,
            None => lanes.read(&statements.by_event, (event_id,)).await?,
        };
        match places.into_iter().max() {
            Some(place) => self.rejected_at(place).await,
            None => Ok(None),
        }
    }

    /// See [`crate::EventStore::rejections`].
    pub(super) async fn newest_rejected(&self, site: Option<&str>, limit: usize) -> Result<Vec<LoggedRejection>, StoreError> {
        let scope = site.map_or_else(|| ALL.to_owned(), scope_of);
        let (lanes, statements) = (&self.0.lanes, &self.0.statements);
        let (mut places, mut before) = (Vec::new(), CqlTimestamp(i64::MAX));
        while places.len() < limit {
            let buckets: Vec<(CqlTimestamp,)> = lanes.read(&statements.buckets, (&scope, before, BUCKETS as i32)).await?;
            let wanted = limit - places.len();
            let of_bucket =
                |(bucket,)| lanes.read::<Place>(&statements.by_age, (&scope, bucket, i32::try_from(wanted).unwrap_or(i32::MAX)));
            places.extend(walk::rows(&buckets, wanted, of_bucket).await?);
            match buckets.last() {
                Some((last,)) if buckets.len() == BUCKETS => before = *last,
                _ => break,
            }
        }
        let found = lanes.read_each(places, |place| self.rejected_at(place)).await?;
        Ok(found.into_iter().flatten().collect())
    }

    pub(super) async fn rejected_at(&self, (at, partition, offset): Place) -> Result<Option<LoggedRejection>, StoreError> {
        let found: Vec<(Option<String>, Option<Vec<u8>>)> =
            self.0.lanes.read(&self.0.statements.rejection, (partition, offset, at)).await?;
        let Some((json, packed)) = found.into_iter().next() else { return Ok(None) };
        let damaged = |why: String| StoreError::Corrupt(format!("the rejection at offset {offset} is none: {why}"));
        let json = match (json, packed) {
            (Some(json), _) => json.into_bytes(),
            (None, Some(packed)) => unpacked(&packed).map_err(|e| damaged(e.to_string()))?,
            (None, None) => return Err(damaged("its row is empty".to_owned())),
        };
        let rejection: Rejection = serde_json::from_slice(&json).map_err(|e| damaged(e.to_string()))?;
        Ok(Some(LoggedRejection { log_partition: partition as u32, log_offset: offset as u64, rejection }))
    }
}

/// A site cannot be named as all of them are.
pub(super) fn scope_of(site: &str) -> String {
    format!("site:{site}")
}

fn place(logged: &LoggedRejection) -> Place {
    (logged.rejection.received_at.0, logged.log_partition as i32, logged.log_offset as i64)
}

/// The columns `rejection` and `packed`: one of them is left alone.
fn encoded(rejection: &Rejection) -> Result<(MaybeUnset<String>, MaybeUnset<Vec<u8>>), StoreError> {
    let unwritable = |e: String| StoreError::Corrupt(format!("a rejection cannot be written as JSON: {e}"));
    let json = serde_json::to_string(rejection).map_err(|e| unwritable(e.to_string()))?;
    if json.len() <= LONG {
        return Ok((MaybeUnset::Set(json), MaybeUnset::Unset));
    }
    let packed = zstd::bulk::compress(json.as_bytes(), zstd::DEFAULT_COMPRESSION_LEVEL).map_err(|e| unwritable(e.to_string()))?;
    Ok((MaybeUnset::Unset, MaybeUnset::Set(packed)))
}

fn unpacked(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut json = Vec::new();
    zstd::Decoder::new(packed)?.take(LONGEST as u64).read_to_end(&mut json)?;
    Ok(json)
}
