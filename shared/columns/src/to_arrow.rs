//! Rows to columns.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Int32Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use clickstream_event::Event;
use uuid::fmt::Hyphenated;

use crate::{ColumnsError, PlacedEvent, event_schema, raw_schema};

/// A record of topic `events` as it is landed.
#[derive(Clone, Debug, PartialEq)]
pub enum RawRow {
    /// An event.
    Event(Box<Event>),
    /// A record that is no event: its bytes.
    DeadLetter(Vec<u8>),
}

impl RawRow {
    pub(crate) fn event(&self) -> Option<&Event> {
        match self {
            Self::Event(event) => Some(event),
            Self::DeadLetter(_) => None,
        }
    }
}

/// One column's values, taken from each row's event.
struct Rows<'a>(&'a [&'a (u64, RawRow)]);

impl<'a> Rows<'a> {
    fn events(&self) -> impl Iterator<Item = Option<&'a Event>> {
        self.0.iter().map(|(_, row)| row.event())
    }

    fn text(&self, value: impl Fn(&'a Event) -> Option<&'a str>) -> ArrayRef {
        let mut column = StringBuilder::with_capacity(self.0.len(), self.0.len() * 16);
        self.events().for_each(|e| column.append_option(e.and_then(&value)));
        Arc::new(column.finish())
    }

    fn moment(&self, value: impl Fn(&Event) -> Option<i64>) -> ArrayRef {
        let mut column = TimestampMicrosecondBuilder::with_capacity(self.0.len()).with_timezone("UTC");
        self.events().for_each(|e| column.append_option(e.and_then(&value)));
        Arc::new(column.finish())
    }

    fn int(&self, value: impl Fn(&Event) -> Option<i32>) -> ArrayRef {
        let mut column = Int32Builder::with_capacity(self.0.len());
        self.events().for_each(|e| column.append_option(e.and_then(&value)));
        Arc::new(column.finish())
    }

    fn list(&self, value: impl Fn(&'a Event) -> &'a [String]) -> ArrayRef {
        let mut column = ListBuilder::new(StringBuilder::new());
        for event in self.events() {
            match event {
                Some(event) => {
                    value(event).iter().for_each(|text| column.values().append_value(text));
                    column.append(true);
                }
                None => column.append(false),
            }
        }
        Arc::new(column.finish())
    }
}

/// The rows `(offset, row)` of one partition as a batch of [`raw_schema`].
pub fn raw_batch(log_id: &str, partition: u32, rows: &[(u64, RawRow)]) -> Result<RecordBatch, ColumnsError> {
    batch_of(log_id, partition, &rows.iter().collect::<Vec<_>>())
}

/// Rows of the lake as a batch of [`event_schema`].
pub fn lake_batch(rows: Vec<PlacedEvent>) -> Result<RecordBatch, ColumnsError> {
    let mut log_ids = StringBuilder::with_capacity(rows.len(), rows.len() * 36);
    let mut partitions = Int32Builder::with_capacity(rows.len());
    let mut place = |row: PlacedEvent| {
        log_ids.append_value(&row.log_id);
        partitions.append_value(row.log_partition.cast_signed());
        (row.log_offset, RawRow::Event(Box::new(row.event)))
    };
    let rows: Vec<(u64, RawRow)> = rows.into_iter().map(&mut place).collect();
    let batch = raw_batch("", 0, &rows)?;
    let schema = event_schema();
    let mut columns = batch.columns()[..schema.fields().len()].to_vec();
    columns[schema.index_of("log_id")?] = Arc::new(log_ids.finish());
    columns[schema.index_of("log_partition")?] = Arc::new(partitions.finish());
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// What [`raw_batch`] makes, of rows that stand anywhere.
pub(crate) fn batch_of(log_id: &str, partition: u32, rows: &[&(u64, RawRow)]) -> Result<RecordBatch, ColumnsError> {
    let r = Rows(rows);
    let mut ids = StringBuilder::with_capacity(rows.len(), rows.len() * Hyphenated::LENGTH);
    let mut visible = Int64Builder::with_capacity(rows.len());
    let mut bots = BooleanBuilder::with_capacity(rows.len());
    let mut log_ids = StringBuilder::with_capacity(rows.len(), rows.len() * log_id.len());
    let mut partitions = Int32Builder::with_capacity(rows.len());
    let mut offsets = Int64Builder::with_capacity(rows.len());
    let mut dead = BinaryBuilder::new();
    let mut buffer = [0; Hyphenated::LENGTH];
    for (offset, row) in rows {
        log_ids.append_value(log_id);
        partitions.append_value(partition.cast_signed());
        offsets.append_value(offset.cast_signed());
        match row {
            RawRow::Event(event) => {
                ids.append_value(event.event_id.as_hyphenated().encode_lower(&mut buffer));
                visible.append_option(event.visible_ms);
                bots.append_value(event.bot);
                dead.append_null();
            }
            RawRow::DeadLetter(bytes) => {
                ids.append_null();
                visible.append_null();
                bots.append_null();
                dead.append_value(bytes);
            }
        }
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(ids.finish()),
        r.text(|e| Some(&e.site_id)),
        r.text(|e| Some(e.action.as_str())),
        r.text(|e| e.name.as_deref()),
        r.moment(|e| Some(e.original_at.0)),
        r.moment(|e| Some(e.occurred_at.0)),
        r.moment(|e| e.sent_at.map(|t| t.0)),
        r.moment(|e| Some(e.received_at.0)),
        r.text(|e| e.session_id.as_deref()),
        r.text(|e| e.anonymous_id.as_deref()),
        r.text(|e| e.user_id.as_deref()),
        r.text(|e| e.url.as_deref()),
        r.text(|e| e.path.as_deref()),
        r.text(|e| e.referrer.as_deref()),
        r.text(|e| e.page_title.as_deref()),
        r.text(|e| e.utm_source.as_deref()),
        r.text(|e| e.utm_medium.as_deref()),
        r.text(|e| e.utm_campaign.as_deref()),
        r.text(|e| e.utm_term.as_deref()),
        r.text(|e| e.utm_content.as_deref()),
        r.text(|e| e.element_id.as_deref()),
        r.text(|e| e.element_kind.as_deref()),
        r.text(|e| e.element_text.as_deref()),
        r.text(|e| e.element_class.as_deref()),
        r.int(|e| e.x),
        r.int(|e| e.y),
        r.int(|e| e.position),
        Arc::new(visible.finish()),
        r.int(|e| e.viewport_width),
        r.int(|e| e.viewport_height),
        r.int(|e| e.scroll_position),
        r.text(|e| Some(e.device_type.as_str())),
        r.text(|e| e.os.as_deref()),
        r.text(|e| e.browser.as_deref()),
        r.text(|e| e.country.as_deref()),
        Arc::new(bots.finish()),
        r.list(|e| &e.bot_reasons),
        r.text(|e| e.ip.as_deref()),
        r.text(|e| e.user_agent.as_deref()),
        r.text(|e| e.locale.as_deref()),
        r.text(|e| e.library.as_deref()),
        r.text(|e| Some(e.source.as_str())),
        r.text(|e| Some(e.verdict.as_str())),
        r.list(|e| &e.warnings),
        r.text(|e| Some(e.properties.as_str())),
        Arc::new(log_ids.finish()),
        Arc::new(partitions.finish()),
        Arc::new(offsets.finish()),
        Arc::new(dead.finish()),
    ];
    Ok(RecordBatch::try_new(raw_schema(), columns)?)
}
