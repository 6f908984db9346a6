//! Rows of a Parquet file as the model of ClickHouse and the checker read them.

use anyhow::{Context as _, ensure};
use arrow::{
    array::{Array as _, ArrayRef, AsArray, RecordBatch, StringArray},
    compute::cast,
    datatypes::{DataType, Int64Type},
};
use bytes::Bytes;
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};
use uuid::Uuid;

/// Site and event id.
pub type Identity = (String, Uuid);

/// What is looked at of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub identity: Identity,
    /// µs UTC.
    pub original_at: i64,
    pub occurred_at: i64,
    pub received_at: i64,
    /// The client gave no time.
    pub time_assigned: bool,
    pub user: Option<String>,
    pub anonymous: Option<String>,
    pub log_id: String,
    pub partition: u32,
    pub offset: u64,
}

impl Row {
    /// Where it stands in the log: `{log_id}/{partition}`.
    pub fn place(&self) -> String {
        format!("{}/{}", self.log_id, self.partition)
    }
}

/// A row of a raw object: an event, or a record that is none, at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawRow {
    Event(Row),
    /// `erased` if it stands in place of an event that was erased.
    Dead {
        partition: u32,
        offset: u64,
        erased: bool,
    },
}

const COLUMNS: [&str; 12] = [
    "event_id",
    "site_id",
    "original_at",
    "occurred_at",
    "received_at",
    "warnings",
    "user_id",
    "anonymous_id",
    "log_id",
    "log_partition",
    "log_offset",
    "dead_letter",
];

/// The rows of a file.
pub fn rows(bytes: &Bytes) -> anyhow::Result<Vec<RawRow>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone())?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), COLUMNS);
    let mut rows = Vec::new();
    for batch in builder.with_projection(mask).build()? {
        take(&batch?, &mut rows)?;
    }
    Ok(rows)
}

/// The events of a file that holds nothing else.
pub fn events(bytes: &Bytes) -> anyhow::Result<Vec<Row>> {
    let event = |row| match row {
        RawRow::Event(row) => Ok(row),
        RawRow::Dead { partition, offset, .. } => anyhow::bail!("a dead letter of {partition}/{offset} among events"),
    };
    rows(bytes)?.into_iter().map(event).collect()
}

fn take(batch: &RecordBatch, rows: &mut Vec<RawRow>) -> anyhow::Result<()> {
    let column = |name: &str| batch.column_by_name(name).with_context(|| format!("no column {name}"));
    let as_type = |name: &str, kind: &DataType| -> anyhow::Result<ArrayRef> { Ok(cast(column(name)?, kind)?) };
    let (ids, sites) = (as_type("event_id", &DataType::Utf8)?, as_type("site_id", &DataType::Utf8)?);
    let (logs, users) = (as_type("log_id", &DataType::Utf8)?, as_type("user_id", &DataType::Utf8)?);
    let visitors = as_type("anonymous_id", &DataType::Utf8)?;
    let [ids, sites, logs, users, visitors] = [&ids, &sites, &logs, &users, &visitors].map(AsArray::as_string::<i32>);
    let number = |name: &str| as_type(name, &DataType::Int64);
    let numbers = [number("original_at")?, number("occurred_at")?, number("received_at")?, number("log_partition")?, number("log_offset")?];
    let [original, occurred, received, partitions, offsets] = numbers.each_ref().map(AsArray::as_primitive::<Int64Type>);
    let warnings = column("warnings")?.as_list_opt::<i32>().context("warnings are no list")?;
    let dead = batch.column_by_name("dead_letter").map(|dead| cast(dead, &DataType::Binary)).transpose()?;
    let dead = dead.as_ref().map(AsArray::as_binary::<i32>);
    for index in 0..batch.num_rows() {
        let (partition, offset) = (u32::try_from(partitions.value(index))?, u64::try_from(offsets.value(index))?);
        if let Some(dead) = dead.filter(|dead| dead.is_valid(index)) {
            rows.push(RawRow::Dead { partition, offset, erased: dead.value(index) == b"erased" });
            continue;
        }
        let text = |column: &StringArray| column.is_valid(index).then(|| column.value(index).to_owned());
        ensure!(ids.is_valid(index) && sites.is_valid(index), "row {index} names no event");
        let list = cast(&warnings.value(index), &DataType::Utf8)?;
        rows.push(RawRow::Event(Row {
            identity: (sites.value(index).to_owned(), ids.value(index).parse()?),
            original_at: original.value(index),
            occurred_at: occurred.value(index),
            received_at: received.value(index),
            time_assigned: list.as_string::<i32>().iter().any(|w| w == Some("time_assigned")),
            user: text(users),
            anonymous: text(visitors),
            log_id: logs.value(index).to_owned(),
            partition,
            offset,
        }));
    }
    Ok(())
}
