//! Rows compared by count and hash per day and site: computed here from Arrow columns, and by ClickHouse from its tables.
//!
//! A row's hash is XXH64 of the texts of all its columns; a day's is the sum of its rows', so that order does not matter.

use std::{collections::BTreeMap, fmt::Write as _};

use arrow::{
    array::{Array, AsArray as _, RecordBatch, StringArray},
    datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType},
};
use clickhouse::Row;
use clickstream_columns::{ColumnsError, event_schema};
use serde::Deserialize;
use twox_hash::XxHash64;

use crate::{Warehouse, WarehouseError};

/// Stands between two columns.
const SEPARATOR: char = '\u{1f}';
/// Stands between two values of a list.
const COMMA: char = '\u{2}';
/// Stands for a value that is missing.
const NULL: &str = "\u{1}";
/// µs of a day.
const DAY: i64 = 86_400_000_000;

/// Count and hash of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows.
    pub rows: u64,
    /// The sum of their hashes, modulo 2^64.
    pub hash: u64,
}

/// Rows by site and day of `occurred_at` (days since 1970, UTC).
pub type Fingerprint = BTreeMap<(String, i64), Tally>;

#[derive(Row, Deserialize)]
struct Counted {
    site: String,
    day: i64,
    rows: u64,
    hash: u64,
}

/// Adds the rows of a lake file's batch.
pub fn add(fingerprint: &mut Fingerprint, batch: &RecordBatch) -> Result<(), ColumnsError> {
    let sites = batch.column_by_name("site_id").and_then(|c| c.as_string_opt::<i32>()).ok_or(ColumnsError::Column("site_id"))?;
    let times = batch.column_by_name("occurred_at").and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
    let times = times.ok_or(ColumnsError::Column("occurred_at"))?;
    let columns: Vec<_> = event_schema().fields().iter().filter_map(|field| batch.column_by_name(field.name())).cloned().collect();
    if columns.len() != event_schema().fields().len() {
        return Err(ColumnsError::Column("event_id"));
    }
    let mut text = String::with_capacity(1_024);
    for row in 0..batch.num_rows() {
        text.clear();
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                text.push(SEPARATOR);
            }
            write_value(&mut text, column.as_ref(), row);
        }
        let tally = fingerprint.entry((sites.value(row).to_owned(), times.value(row).div_euclid(DAY))).or_default();
        tally.rows += 1;
        tally.hash = tally.hash.wrapping_add(XxHash64::oneshot(0, text.as_bytes()));
    }
    Ok(())
}

fn write_value(text: &mut String, column: &dyn Array, row: usize) {
    if column.is_null(row) {
        // A list has no null in ClickHouse: it is empty.
        if !matches!(column.data_type(), DataType::List(_)) {
            text.push_str(NULL);
        }
        return;
    }
    // Writing to a String cannot fail.
    let _ = match column.data_type() {
        DataType::Int32 => write!(text, "{}", column.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => write!(text, "{}", column.as_primitive::<Int64Type>().value(row)),
        DataType::Timestamp(..) => write!(text, "{}", column.as_primitive::<TimestampMicrosecondType>().value(row)),
        DataType::Boolean => write!(text, "{}", u8::from(column.as_boolean().value(row))),
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(row);
            if let Some(words) = list.as_string_opt::<i32>() {
                write_list(text, words);
            }
            Ok(())
        }
        _ => write!(text, "{}", column.as_string::<i32>().value(row)),
    };
}

fn write_list(text: &mut String, words: &StringArray) {
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            text.push(COMMA);
        }
        text.push_str(word.unwrap_or_default());
    }
}

/// The text of a row as ClickHouse builds it.
fn expression() -> String {
    let value = |name: &str, kind: &DataType| match kind {
        DataType::Timestamp(..) => format!("ifNull(toString(toUnixTimestamp64Micro({name})), char(1))"),
        DataType::Boolean => format!("toString(toUInt8({name}))"),
        DataType::List(_) => format!("arrayStringConcat(arrayMap(w -> toString(w), {name}), char(2))"),
        _ => format!("ifNull(toString({name}), char(1))"),
    };
    let values: Vec<_> = event_schema().fields().iter().map(|field| value(field.name(), field.data_type())).collect();
    format!("concat({})", values.join(", char(31), "))
}

impl Warehouse {
    /// The fingerprint of a table or view of ours with the columns of events.
    pub(crate) async fn fingerprint_of(&self, table: &str) -> Result<Fingerprint, WarehouseError> {
        let sql = format!(
            "SELECT toString(site_id) AS site, intDiv(at, toInt64({DAY})) - toInt64(modulo(at, toInt64({DAY})) < 0) AS day, count() AS rows, sum(hash) AS hash FROM
             (SELECT site_id, toUnixTimestamp64Micro(occurred_at) AS at, xxHash64({}) AS hash FROM {table}) GROUP BY site, day",
            expression()
        );
        let rows: Vec<Counted> = self.large_query(&sql).fetch_all().await?;
        Ok(rows.into_iter().map(|row| ((row.site, row.day), Tally { rows: row.rows, hash: row.hash })).collect())
    }

    /// The fingerprint of what is settled.
    pub async fn settled_fingerprint(&self) -> Result<Fingerprint, WarehouseError> {
        self.fingerprint_of("settled").await
    }
}

/// The first site and day on which two differ.
pub fn difference(one: &Fingerprint, other: &Fingerprint) -> Option<(String, i64)> {
    let differs = |key: &&(String, i64)| one.get(*key) != other.get(*key);
    one.keys().chain(other.keys()).find(differs).cloned()
}
