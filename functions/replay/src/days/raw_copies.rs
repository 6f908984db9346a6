//! Events as raw/ holds them, by their places in the log.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use arrow::{
    array::{AsArray as _, BooleanArray},
    compute::filter_record_batch,
    datatypes::Int64Type,
};
use bytes::Bytes;
use clickstream_columns::{ColumnsError, PlacedEvent, RawRecord, raw_key, raw_offsets, raw_prefix, read_parquet, records};
use clickstream_event::Event;
use clickstream_objects::ObjectError;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{Days, on_a_thread};
use crate::ReplayError;

/// Objects listed at a time.
const PAGE: usize = 500;
/// Objects read at once.
const AT_ONCE: usize = 4;

/// Log, partition and offset.
pub type Place = (Arc<str>, u32, u64);

/// Events by their places.
pub type Copies = HashMap<Place, Event>;

/// The place of a row.
pub fn place_of(row: &PlacedEvent) -> Place {
    (Arc::clone(&row.log_id), row.log_partition, row.log_offset)
}

impl Days {
    /// The raw copies of these rows, where there still are any.
    pub(super) async fn copies<'a>(&self, rows: impl Iterator<Item = &'a PlacedEvent>) -> Result<Copies, ReplayError> {
        let mut offsets: BTreeMap<(Arc<str>, u32), BTreeSet<u64>> = BTreeMap::new();
        for row in rows {
            offsets.entry((Arc::clone(&row.log_id), row.log_partition)).or_default().insert(row.log_offset);
        }
        let mut copies = Copies::new();
        for ((log_id, partition), wanted) in offsets {
            self.copies_of(&log_id, partition, wanted, &mut copies).await?;
        }
        Ok(copies)
    }

    /// Those of one partition. Listings skip what is not wanted: rows that came late lie far from the others.
    async fn copies_of(
        &self,
        log_id: &Arc<str>,
        partition: u32,
        mut wanted: BTreeSet<u64>,
        copies: &mut Copies,
    ) -> Result<(), ReplayError> {
        let prefix = raw_prefix(log_id, partition);
        while let Some(next) = wanted.first().copied() {
            // Keys begin with the last offset: after this come the objects that hold it or later ones.
            let page = self.objects.list(&prefix, Some(&format!("{prefix}{next:020}")), PAGE).await?;
            let listed: Vec<(u64, u64)> = page.iter().filter_map(|object| raw_offsets(&object.key)).collect();
            let Some(reached) = listed.iter().map(|(_, last)| *last).max() else { return Ok(()) };
            let mut chosen = Vec::new();
            for (first, last) in listed {
                let held: BTreeSet<u64> = wanted.range(first..=last).copied().collect();
                if !held.is_empty() {
                    wanted.retain(|offset| !held.contains(offset));
                    chosen.push((first, last, held));
                }
            }
            // What lies before that is in no object any more.
            wanted = wanted.split_off(&(reached + 1));
            let read = stream::iter(chosen).map(|(first, last, held)| self.rows_of(raw_key(log_id, partition, first, last), held));
            let mut read = read.buffered(AT_ONCE);
            while let Some(rows) = read.try_next().await? {
                copies.extend(rows.into_iter().filter_map(|row| {
                    let logged = row.logged()?;
                    Some(((Arc::clone(log_id), partition, logged.log_offset), logged.event))
                }));
            }
        }
        Ok(())
    }

    /// Rows of an object at these offsets; none if it has expired meanwhile.
    async fn rows_of(&self, key: String, wanted: BTreeSet<u64>) -> Result<Vec<RawRecord>, ReplayError> {
        let bytes = match self.objects.get(&key).await {
            Ok((_, bytes)) => bytes,
            Err(ObjectError::NotFound(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        on_a_thread(move || chosen_rows(bytes, &wanted).map_err(|cause| ReplayError::Columns { key, cause })).await
    }
}

fn chosen_rows(bytes: Bytes, wanted: &BTreeSet<u64>) -> Result<Vec<RawRecord>, ColumnsError> {
    let mut rows = Vec::with_capacity(wanted.len());
    for batch in read_parquet(bytes)? {
        let offsets = batch.column_by_name("log_offset").and_then(|column| column.as_primitive_opt::<Int64Type>());
        let offsets = offsets.ok_or(ColumnsError::Column("log_offset"))?;
        let chosen: BooleanArray = offsets.values().iter().map(|offset| Some(wanted.contains(&offset.cast_unsigned()))).collect();
        rows.extend(records(&filter_record_batch(&batch, &chosen)?)?);
    }
    Ok(rows)
}
