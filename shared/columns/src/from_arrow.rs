//! Columns back to rows, for replays and checks.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use clickstream_event::{Action, DeviceType, Event, Logged, Micros, Properties, Source, Verdict};

use crate::{ColumnsError, RawRow, sorted_rows::in_our_columns};

/// A row of a raw object with its place in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct RawRecord {
    /// Partition of topic `events`.
    pub log_partition: u32,
    /// Offset within it.
    pub log_offset: u64,
    /// What stands there.
    pub row: RawRow,
}

impl RawRecord {
    /// The event with its place; none for a dead letter.
    pub fn logged(self) -> Option<Logged> {
        match self.row {
            RawRow::Event(event) => Some(Logged { log_partition: self.log_partition, log_offset: self.log_offset, event: *event }),
            RawRow::DeadLetter(_) => None,
        }
    }
}

/// The rows of a batch of [`crate::raw_schema`].
pub fn records(batch: &RecordBatch) -> Result<Vec<RawRecord>, ColumnsError> {
    let columns = Columns(batch);
    let partitions = columns.get("log_partition")?.as_primitive_opt::<Int32Type>().ok_or(ColumnsError::Column("log_partition"))?;
    let offsets = columns.get("log_offset")?.as_primitive_opt::<Int64Type>().ok_or(ColumnsError::Column("log_offset"))?;
    let dead = columns.get("dead_letter")?.as_binary_opt::<i32>().ok_or(ColumnsError::Column("dead_letter"))?;
    (0..batch.num_rows())
        .map(|row| {
            let place =
                if dead.is_null(row) { RawRow::Event(Box::new(columns.event(row)?)) } else { RawRow::DeadLetter(dead.value(row).to_vec()) };
            Ok(RawRecord {
                log_partition: partitions.value(row).cast_unsigned(),
                log_offset: offsets.value(row).cast_unsigned(),
                row: place,
            })
        })
        .collect()
}

/// A row of the lake: an event with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedEvent {
    /// The log.
    pub log_id: Arc<str>,
    /// Partition of topic `events`.
    pub log_partition: u32,
    /// Offset within it.
    pub log_offset: u64,
    /// The event.
    pub event: Event,
}

/// The rows of a batch of a lake file. Of a column that an older file lacks, every value is null.
pub fn placed_events(batch: &RecordBatch) -> Result<Vec<PlacedEvent>, ColumnsError> {
    let batch = in_our_columns(batch)?;
    let columns = Columns(&batch);
    let logs = columns.strings("log_id")?;
    let partitions = columns.get("log_partition")?.as_primitive_opt::<Int32Type>().ok_or(ColumnsError::Column("log_partition"))?;
    let offsets = columns.get("log_offset")?.as_primitive_opt::<Int64Type>().ok_or(ColumnsError::Column("log_offset"))?;
    // Rows of one log stand beside each other.
    let mut log_id: Arc<str> = Arc::from("");
    (0..batch.num_rows())
        .map(|row| {
            if *log_id != *logs.value(row) {
                log_id = logs.value(row).into();
            }
            Ok(PlacedEvent {
                log_id: Arc::clone(&log_id),
                log_partition: partitions.value(row).cast_unsigned(),
                log_offset: offsets.value(row).cast_unsigned(),
                event: columns.event(row)?,
            })
        })
        .collect()
}

struct Columns<'a>(&'a RecordBatch);

impl<'a> Columns<'a> {
    fn get(&self, name: &'static str) -> Result<&'a dyn Array, ColumnsError> {
        self.0.column_by_name(name).map(AsRef::as_ref).ok_or(ColumnsError::Column(name))
    }

    fn strings(&self, name: &'static str) -> Result<&'a StringArray, ColumnsError> {
        self.get(name)?.as_string_opt::<i32>().ok_or(ColumnsError::Column(name))
    }

    fn text(&self, name: &'static str, row: usize) -> Result<Option<String>, ColumnsError> {
        let column = self.strings(name)?;
        Ok(column.is_valid(row).then(|| column.value(row).to_owned()))
    }

    fn word<T>(&self, name: &'static str, row: usize, read: impl Fn(&str) -> Option<T>) -> Result<T, ColumnsError> {
        let column = self.strings(name)?;
        let value = if column.is_valid(row) { read(column.value(row)) } else { None };
        value.ok_or_else(|| ColumnsError::Row { row, why: format!("{name} cannot be read") })
    }

    fn moment(&self, name: &'static str, row: usize) -> Result<Option<Micros>, ColumnsError> {
        let column = self.get(name)?.as_primitive_opt::<TimestampMicrosecondType>().ok_or(ColumnsError::Column(name))?;
        Ok(column.is_valid(row).then(|| Micros(column.value(row))))
    }

    fn given(&self, name: &'static str, row: usize) -> Result<Micros, ColumnsError> {
        self.moment(name, row)?.ok_or_else(|| ColumnsError::Row { row, why: format!("{name} is missing") })
    }

    fn int(&self, name: &'static str, row: usize) -> Result<Option<i32>, ColumnsError> {
        let column = self.get(name)?.as_primitive_opt::<Int32Type>().ok_or(ColumnsError::Column(name))?;
        Ok(column.is_valid(row).then(|| column.value(row)))
    }

    fn list(&self, name: &'static str, row: usize) -> Result<Vec<String>, ColumnsError> {
        let column = self.get(name)?.as_list_opt::<i32>().ok_or(ColumnsError::Column(name))?;
        if column.is_null(row) {
            return Ok(Vec::new());
        }
        let values = column.value(row);
        let values = values.as_string_opt::<i32>().ok_or(ColumnsError::Column(name))?;
        Ok(values.iter().flatten().map(str::to_owned).collect())
    }

    fn event(&self, row: usize) -> Result<Event, ColumnsError> {
        let visible = self.get("visible_ms")?.as_primitive_opt::<Int64Type>().ok_or(ColumnsError::Column("visible_ms"))?;
        let bot = self.get("bot")?.as_boolean_opt().ok_or(ColumnsError::Column("bot"))?;
        Ok(Event {
            event_id: self.word("event_id", row, |t| t.parse().ok())?,
            site_id: self.word("site_id", row, |t| Some(t.to_owned()))?,
            action: self.word("action", row, Action::from_name)?,
            name: self.text("name", row)?,
            original_at: self.given("original_at", row)?,
            occurred_at: self.given("occurred_at", row)?,
            sent_at: self.moment("sent_at", row)?,
            received_at: self.given("received_at", row)?,
            session_id: self.text("session_id", row)?,
            anonymous_id: self.text("anonymous_id", row)?,
            user_id: self.text("user_id", row)?,
            url: self.text("url", row)?,
            path: self.text("path", row)?,
            referrer: self.text("referrer", row)?,
            page_title: self.text("page_title", row)?,
            utm_source: self.text("utm_source", row)?,
            utm_medium: self.text("utm_medium", row)?,
            utm_campaign: self.text("utm_campaign", row)?,
            utm_term: self.text("utm_term", row)?,
            utm_content: self.text("utm_content", row)?,
            element_id: self.text("element_id", row)?,
            element_kind: self.text("element_kind", row)?,
            element_text: self.text("element_text", row)?,
            element_class: self.text("element_class", row)?,
            x: self.int("x", row)?,
            y: self.int("y", row)?,
            position: self.int("position", row)?,
            visible_ms: visible.is_valid(row).then(|| visible.value(row)),
            viewport_width: self.int("viewport_width", row)?,
            viewport_height: self.int("viewport_height", row)?,
            scroll_position: self.int("scroll_position", row)?,
            device_type: self.word("device_type", row, DeviceType::from_name)?,
            os: self.text("os", row)?,
            browser: self.text("browser", row)?,
            country: self.text("country", row)?,
            bot: bot.is_valid(row) && bot.value(row),
            bot_reasons: self.list("bot_reasons", row)?,
            ip: self.text("ip", row)?,
            user_agent: self.text("user_agent", row)?,
            locale: self.text("locale", row)?,
            library: self.text("library", row)?,
            source: self.word("source", row, Source::from_name)?,
            verdict: self.word("verdict", row, Verdict::from_name)?,
            warnings: self.list("warnings", row)?,
            properties: self.word("properties", row, Properties::from_json)?,
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clickstream_event::{Arrival, Outcome, Shape, Site, admit, parse_record};

    use super::*;
    use crate::{event_schema, lake_batch, raw_batch, read_parquet, write_lake_file, write_raw_object};

    fn admitted() -> Box<Event> {
        let json = br#"{"event_id":"e","site_id":"demo","action":"click","anonymous_id":"a","occurred_at":"2026-11-24T00:00:00.123456Z",
            "element_id":"buy","x":-3,"visible_ms":1200,"ip":"10.0.0.1","device_type":"bot","properties":{"a":[1,{"b":null}]}}"#;
        let raw = parse_record(json, Shape::Canonical).unwrap();
        let arrival =
            Arrival { received_at: Micros::now(), source: Source::File, ip: None, user_agent: None, country: None, sent_at: None };
        let Outcome::Accepted(event, _) = admit(&raw, &Site::new("demo", "demo"), &arrival) else { panic!("rejected") };
        event
    }

    #[test]
    fn what_is_landed_reads_back_whole() {
        let rows = vec![(7, RawRow::Event(admitted())), (8, RawRow::DeadLetter(vec![0xff, 0]))];
        let file = write_raw_object(&raw_batch("log", 3, &rows).unwrap()).unwrap();
        let back: Vec<_> = read_parquet(file).unwrap().iter().flat_map(|b| records(b).unwrap()).collect();
        assert_eq!(back.iter().map(|r| (r.log_partition, r.log_offset)).collect::<Vec<_>>(), [(3, 7), (3, 8)]);
        assert_eq!(back.into_iter().map(|r| r.row).collect::<Vec<_>>(), rows.into_iter().map(|(_, r)| r).collect::<Vec<_>>());
    }
    #[test]
    fn rows_of_the_lake_read_back_with_their_places() {
        let at = |log: &str, log_partition, log_offset| PlacedEvent { log_id: log.into(), log_partition, log_offset, event: *admitted() };
        let rows = vec![at("one", 3, 7), at("one", 4, 1 << 40), at("other", 0, 0)];
        let batch = lake_batch(rows.clone()).unwrap();
        assert_eq!(batch.schema(), event_schema());
        let file = write_lake_file([Ok(batch)]).unwrap();
        let back: Vec<_> = read_parquet(file).unwrap().iter().flat_map(|b| placed_events(b).unwrap()).collect();
        assert_eq!(back, rows);
    }
}
