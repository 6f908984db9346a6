//! The rows of a commit in their order, and the file that they become.

use std::ops::Range;

use arrow::{
    array::{Array, ArrayRef, StringBuilder, UInt32Array, new_null_array},
    compute::{concat, take},
    datatypes::Field,
};
use bytes::Bytes;
use clickstream_columns::{ColumnRows, ColumnsError, RawFile, read_type, write_lake_columns};
use clickstream_event::Micros;
use uuid::{Uuid, fmt::Hyphenated};

use crate::part::Row;

/// Rows in their order.
#[derive(Debug)]
pub struct Sorted {
    files: Vec<RawFile>,
    /// Numbers of the rows among all rows of the files.
    order: UInt32Array,
    ids: Vec<u128>,
    hashes: Vec<u64>,
    original_at: (i64, i64),
    occurred_at: (i64, i64),
}

impl Sorted {
    /// Rows of `files` in their order.
    pub fn of(files: Vec<RawFile>, rows: impl ExactSizeIterator<Item = Row>) -> Self {
        let count = rows.len();
        let (mut order, mut ids, mut hashes) = (Vec::with_capacity(count), Vec::with_capacity(count), Vec::with_capacity(count));
        let (mut original_at, mut occurred_at) = ((i64::MAX, i64::MIN), (i64::MAX, i64::MIN));
        let widen = |range: &mut (i64, i64), at: i64| *range = (range.0.min(at), range.1.max(at));
        for row in rows {
            order.push(row.number);
            ids.push(row.id);
            hashes.push(row.hash);
            widen(&mut original_at, row.original_at);
            widen(&mut occurred_at, row.occurred_at);
        }
        Self { files, order: order.into(), ids, hashes, original_at, occurred_at }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Least and greatest `original_at`, and `occurred_at`.
    pub fn ranges(&self) -> ((Micros, Micros), (Micros, Micros)) {
        let range = |(from, to): (i64, i64)| (Micros(from), Micros(to));
        (range(self.original_at), range(self.occurred_at))
    }

    /// The file.
    pub fn encode(&self, threads: usize) -> Result<Bytes, ColumnsError> {
        write_lake_columns(self.len(), threads, |field| self.column(field))
    }

    /// Hashes of the identities.
    pub fn into_hashes(self) -> Vec<u64> {
        self.hashes
    }

    /// One column of all files, given by ranges of rows in their order.
    fn column(&self, field: &Field) -> Result<ColumnRows<'_>, ColumnsError> {
        if field.name() == "event_id" {
            return Ok(Box::new(|range| Ok(self.event_ids(range))));
        }
        let kind = read_type(field.data_type());
        let read = |file: &RawFile| Ok(file.column(field.name())?.unwrap_or_else(|| new_null_array(&kind, file.rows())));
        let parts: Vec<ArrayRef> = self.files.iter().map(read).collect::<Result<_, ColumnsError>>()?;
        let whole = concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>())?;
        drop(parts);
        Ok(Box::new(move |range| Ok(take(&whole, &self.order.slice(range.start, range.len()), None)?)))
    }

    /// Ids as text. They are at hand, so the column is not read again.
    fn event_ids(&self, range: Range<usize>) -> ArrayRef {
        let mut column = StringBuilder::with_capacity(range.len(), range.len() * Hyphenated::LENGTH);
        let mut buffer = [0; Hyphenated::LENGTH];
        for id in &self.ids[range] {
            column.append_value(Uuid::from_u128(*id).as_hyphenated().encode_lower(&mut buffer));
        }
        std::sync::Arc::new(column.finish())
    }
}
