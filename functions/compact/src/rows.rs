//! Rows of raw objects: which count, and in which order they are written.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use arrow::{
    array::{Array as _, AsArray as _, RecordBatch, StringArray},
    compute::interleave_record_batch,
    datatypes::{Int32Type, Int64Type, TimestampMicrosecondType},
};
use clickstream_columns::{ColumnsError, event_schema};
use clickstream_event::{Micros, ReasonCode};
use uuid::Uuid;

use crate::{Forgotten, Who};

/// Rows written at a time.
const CHUNK: usize = 8_192;

/// One row's identity, time and place.
#[derive(Clone, Debug)]
pub struct Row {
    /// Index of its batch.
    pub batch: usize,
    /// Index within the batch.
    pub index: usize,
    pub event_id: Uuid,
    pub site_id: String,
    pub original_at: i64,
    pub occurred_at: i64,
    pub received_at: i64,
    pub partition: i32,
    pub offset: i64,
    /// The client gave no time.
    pub time_assigned: bool,
}

impl Row {
    /// What makes it the same event as another row.
    pub fn identity(&self) -> (&str, Uuid) {
        (&self.site_id, self.event_id)
    }

    /// The copy with the lowest order stays.
    fn order(&self) -> (i64, i32, i64) {
        (self.received_at, self.partition, self.offset)
    }
}

/// Rows gathered for one commit.
#[derive(Debug, Default)]
pub struct Rows {
    batches: Vec<RecordBatch>,
    rows: Vec<Row>,
    places: HashSet<(i32, i64)>,
    /// Records that are no event.
    pub dead_letters: u64,
    /// Repeats left out.
    pub duplicates: u64,
    /// Rows of erased people, left out.
    pub erased: u64,
}

impl Rows {
    /// Takes the rows of a raw batch at or past `watermark`; an offset that was taken before is left out.
    pub fn take(&mut self, batch: &RecordBatch, watermark: u64) -> Result<(), ColumnsError> {
        fn column<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a dyn arrow::array::Array, ColumnsError> {
            batch.column_by_name(name).map(AsRef::as_ref).ok_or(ColumnsError::Column(name))
        }
        let strings = |name| column(batch, name)?.as_string_opt::<i32>().ok_or(ColumnsError::Column(name));
        let moments = |name| column(batch, name)?.as_primitive_opt::<TimestampMicrosecondType>().ok_or(ColumnsError::Column(name));
        let offsets = column(batch, "log_offset")?.as_primitive_opt::<Int64Type>().ok_or(ColumnsError::Column("log_offset"))?;
        let partitions = column(batch, "log_partition")?.as_primitive_opt::<Int32Type>().ok_or(ColumnsError::Column("log_partition"))?;
        let (ids, sites) = (strings("event_id")?, strings("site_id")?);
        let (original, occurred, received) = (moments("original_at")?, moments("occurred_at")?, moments("received_at")?);
        let dead = column(batch, "dead_letter")?;
        let warnings = column(batch, "warnings")?.as_list_opt::<i32>().ok_or(ColumnsError::Column("warnings"))?;
        let number = self.batches.len();
        for index in 0..batch.num_rows() {
            let (partition, offset) = (partitions.value(index), offsets.value(index));
            if offset.cast_unsigned() < watermark || !self.places.insert((partition, offset)) {
                continue;
            }
            if dead.is_valid(index) {
                self.dead_letters += 1;
                continue;
            }
            let event_id = ids.value(index).parse().map_err(|_| ColumnsError::Row { row: index, why: "event_id is no UUID".to_owned() })?;
            let list = warnings.value(index);
            let assigned = ReasonCode::TimeAssigned.as_str();
            let time_assigned = list.as_string_opt::<i32>().is_some_and(|l| l.iter().any(|w| w == Some(assigned)));
            self.rows.push(Row {
                batch: number,
                index,
                event_id,
                site_id: sites.value(index).to_owned(),
                original_at: original.value(index),
                occurred_at: occurred.value(index),
                received_at: received.value(index),
                partition,
                offset,
                time_assigned,
            });
        }
        // The lake has no dead letters.
        let columns: Vec<usize> = (0..event_schema().fields().len()).collect();
        self.batches.push(batch.project(&columns)?);
        Ok(())
    }

    /// Leaves out rows of people who are erased.
    pub fn forget(&mut self, forgotten: &dyn Forgotten) -> Result<(), ColumnsError> {
        let concerned: HashSet<&str> = self.rows.iter().map(|r| r.site_id.as_str()).collect();
        let concerned: HashSet<String> = concerned.into_iter().filter(|site| forgotten.concerns(site)).map(str::to_owned).collect();
        if concerned.is_empty() {
            return Ok(());
        }
        let text = |batch: &RecordBatch, name: &'static str| {
            batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>()).cloned().ok_or(ColumnsError::Column(name))
        };
        let people: Vec<_> =
            self.batches.iter().map(|b| Ok((text(b, "user_id")?, text(b, "anonymous_id")?))).collect::<Result<_, ColumnsError>>()?;
        let before = self.rows.len();
        self.rows.retain(|row| {
            let (users, anonymous) = &people[row.batch];
            let id = |column: &StringArray| column.is_valid(row.index).then(|| column.value(row.index).to_owned());
            let (user_id, anonymous_id) = (id(users), id(anonymous));
            let who = Who {
                site_id: &row.site_id,
                user_id: user_id.as_deref(),
                anonymous_id: anonymous_id.as_deref(),
                original_at: Micros(row.original_at),
                received_at: Micros(row.received_at),
            };
            !(concerned.contains(&row.site_id) && forgotten.drops(&who))
        });
        self.erased += (before - self.rows.len()) as u64;
        Ok(())
    }

    /// Leaves out repeats among the rows themselves.
    pub fn deduplicate(&mut self) {
        let before = self.rows.len();
        let mut best: HashMap<(String, Uuid), usize> = HashMap::with_capacity(before);
        let mut keep = vec![true; before];
        for (index, row) in self.rows.iter().enumerate() {
            match best.entry((row.site_id.clone(), row.event_id)) {
                Entry::Vacant(entry) => {
                    entry.insert(index);
                }
                Entry::Occupied(mut entry) => {
                    let standing = *entry.get();
                    if row.order() < self.rows[standing].order() {
                        keep[standing] = false;
                        entry.insert(index);
                    } else {
                        keep[index] = false;
                    }
                }
            }
        }
        let mut kept = keep.into_iter();
        self.rows.retain(|_| kept.next().unwrap_or(true));
        self.duplicates += (before - self.rows.len()) as u64;
    }

    /// Leaves out rows whose identity is in `known`.
    pub fn leave_out(&mut self, known: &HashSet<(String, Uuid)>) {
        if known.is_empty() {
            return;
        }
        let before = self.rows.len();
        self.rows.retain(|row| !known.contains(&(row.site_id.clone(), row.event_id)));
        self.duplicates += (before - self.rows.len()) as u64;
    }

    /// The rows that count.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Least and greatest of a time over the rows.
    pub fn range(&self, time: impl Fn(&Row) -> i64) -> (Micros, Micros) {
        let times = || self.rows.iter().map(&time);
        (Micros(times().min().unwrap_or(0)), Micros(times().max().unwrap_or(0)))
    }

    /// The rows by site, time and id, some at a time.
    pub fn sorted(mut self) -> impl Iterator<Item = Result<RecordBatch, ColumnsError>> {
        self.rows.sort_by(|a, b| (&a.site_id, a.original_at, a.event_id).cmp(&(&b.site_id, b.original_at, b.event_id)));
        let places: Vec<(usize, usize)> = self.rows.iter().map(|r| (r.batch, r.index)).collect();
        let batches = self.batches;
        (0..places.len().div_ceil(CHUNK)).map(move |chunk| {
            let part = &places[chunk * CHUNK..places.len().min((chunk + 1) * CHUNK)];
            let sources: Vec<&RecordBatch> = batches.iter().collect();
            Ok(interleave_record_batch(&sources, part)?)
        })
    }
}
