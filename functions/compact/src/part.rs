//! One raw object as it is taken in: its columns still compressed, and of each row what decides whether it counts.

use std::{collections::BTreeSet, hash::BuildHasher as _, hash::RandomState};

use arrow::{
    array::{Array, AsArray as _, RecordBatch},
    datatypes::{Int32Type, Int64Type, TimestampMicrosecondType},
};
use clickstream_columns::{ColumnsError, RawFile};
use clickstream_erasure::ERASED;
use clickstream_event::{Micros, ReasonCode};
use uuid::Uuid;

/// The columns that decide.
const COLUMNS: [&str; 9] =
    ["event_id", "site_id", "original_at", "occurred_at", "received_at", "warnings", "log_partition", "log_offset", "dead_letter"];

/// One row's identity, times and place.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub id: u128,
    /// Of site and id.
    pub hash: u64,
    pub original_at: i64,
    pub occurred_at: i64,
    pub received_at: i64,
    pub offset: u64,
    /// Its number among all rows of the files.
    pub number: u32,
    /// Index of its site.
    pub site: u32,
}

/// Hashes site and id. The keys of `state` are random, so that nobody can choose ids that meet.
pub fn identity_hash(state: &RandomState, site: &str, id: u128) -> u64 {
    state.hash_one((id, site))
}

/// A raw object.
#[derive(Debug)]
pub struct Part {
    pub file: RawFile,
    pub partition: u32,
    /// Sites of the rows by their index.
    pub sites: Vec<String>,
    /// Rows at or past the watermark, numbered within the file.
    pub rows: Vec<Row>,
    /// Offsets at or past the watermark that hold no event.
    pub dead_letters: Vec<u64>,
    /// Those whose event was erased.
    pub erased: Vec<u64>,
    /// Hours (since 1970) in which an earlier copy of a row may lie.
    pub hours: BTreeSet<i64>,
}

impl Part {
    /// Reads what decides of `file`, which holds offsets `first..=last` of `partition`.
    pub fn of(file: RawFile, partition: u32, (first, last): (u64, u64), watermark: u64, state: &RandomState) -> Result<Self, ColumnsError> {
        let batch = file.columns(&COLUMNS)?;
        let columns = Columns::of(&batch)?;
        let mut part = Self {
            rows: Vec::with_capacity(file.rows()),
            file,
            partition,
            sites: Vec::new(),
            dead_letters: Vec::new(),
            erased: Vec::new(),
            hours: BTreeSet::new(),
        };
        let mut reached = None;
        for index in 0..batch.num_rows() {
            let (lies_in, offset) = (columns.partitions.value(index).cast_unsigned(), columns.offsets.value(index).cast_unsigned());
            if lies_in != partition || !(first..=last).contains(&offset) {
                let why = format!("it is offset {offset} of partition {lies_in}, and the object is of {first} to {last} of {partition}");
                return Err(ColumnsError::Row { row: index, why });
            }
            if offset < watermark {
                continue;
            }
            if columns.dead.is_valid(index) {
                let of = if columns.dead.value(index) == ERASED { &mut part.erased } else { &mut part.dead_letters };
                of.push(offset);
                continue;
            }
            let missing = |why: &str| ColumnsError::Row { row: index, why: why.to_owned() };
            if columns.sites.is_null(index) || columns.ids.is_null(index) {
                return Err(missing("it has no site or no id"));
            }
            let id = Uuid::try_parse_ascii(columns.ids.value(index).as_bytes()).map_err(|_| missing("event_id is no UUID"))?.as_u128();
            let name = columns.sites.value(index);
            let site = part.site(name);
            let original_at = columns.original.value(index);
            let around = (original_at.div_euclid(Micros::HOUR), reach(columns.time_assigned(index)));
            if reached != Some(around) {
                let (hour, reach) = around;
                part.hours.extend(hour - reach..=hour + reach);
                reached = Some(around);
            }
            part.rows.push(Row {
                id,
                hash: identity_hash(state, name, id),
                original_at,
                occurred_at: columns.occurred.value(index),
                received_at: columns.received.value(index),
                offset,
                number: index as u32,
                site,
            });
        }
        Ok(part)
    }

    /// The site's index. Rows are sorted by site, so it is most often that of the row before.
    fn site(&mut self, name: &str) -> u32 {
        if let Some(last) = self.rows.last().map(|row| row.site)
            && self.sites[last as usize] == name
        {
            return last;
        }
        let found = self.sites.iter().position(|site| site == name).unwrap_or_else(|| {
            self.sites.push(name.to_owned());
            self.sites.len() - 1
        });
        found as u32
    }
}

/// How far from a row's hour an earlier copy of it may lie: an hour, two days where the client gave no time.
fn reach(time_assigned: bool) -> i64 {
    if time_assigned { 48 } else { 1 }
}

type Text = arrow::array::StringViewArray;
type Times = arrow::array::TimestampMicrosecondArray;

struct Columns<'a> {
    ids: &'a Text,
    sites: &'a Text,
    original: &'a Times,
    occurred: &'a Times,
    received: &'a Times,
    warnings: &'a arrow::array::ListArray,
    partitions: &'a arrow::array::Int32Array,
    offsets: &'a arrow::array::Int64Array,
    dead: &'a arrow::array::BinaryArray,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, ColumnsError> {
        let column = |name: &'static str| batch.column_by_name(name).map(AsRef::as_ref).ok_or(ColumnsError::Column(name));
        let text = |name| column(name)?.as_string_view_opt().ok_or(ColumnsError::Column(name));
        let times = |name| column(name)?.as_primitive_opt::<TimestampMicrosecondType>().ok_or(ColumnsError::Column(name));
        Ok(Self {
            ids: text("event_id")?,
            sites: text("site_id")?,
            original: times("original_at")?,
            occurred: times("occurred_at")?,
            received: times("received_at")?,
            warnings: column("warnings")?.as_list_opt::<i32>().ok_or(ColumnsError::Column("warnings"))?,
            partitions: column("log_partition")?.as_primitive_opt::<Int32Type>().ok_or(ColumnsError::Column("log_partition"))?,
            offsets: column("log_offset")?.as_primitive_opt::<Int64Type>().ok_or(ColumnsError::Column("log_offset"))?,
            dead: column("dead_letter")?.as_binary_opt::<i32>().ok_or(ColumnsError::Column("dead_letter"))?,
        })
    }

    /// True if the client gave no time.
    fn time_assigned(&self, index: usize) -> bool {
        if self.warnings.is_null(index) || self.warnings.value_length(index) == 0 {
            return false;
        }
        let assigned = ReasonCode::TimeAssigned.as_str();
        self.warnings.value(index).as_string_opt::<i32>().is_some_and(|list| list.iter().any(|warning| warning == Some(assigned)))
    }
}
