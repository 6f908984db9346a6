//! The columns of an event, by the names and in the order of [`clickstream_event::Event`].

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

/// A moment: µs since 1970, UTC.
fn moment() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn list() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)))
}

/// Name, type, and whether an event may lack it.
fn columns() -> Vec<(&'static str, DataType, bool)> {
    use DataType::{Boolean, Int32, Int64, Utf8};
    vec![
        ("event_id", Utf8, false),
        ("site_id", Utf8, false),
        ("action", Utf8, false),
        ("name", Utf8, true),
        ("original_at", moment(), false),
        ("occurred_at", moment(), false),
        ("sent_at", moment(), true),
        ("received_at", moment(), false),
        ("session_id", Utf8, true),
        ("anonymous_id", Utf8, true),
        ("user_id", Utf8, true),
        ("url", Utf8, true),
        ("path", Utf8, true),
        ("referrer", Utf8, true),
        ("page_title", Utf8, true),
        ("utm_source", Utf8, true),
        ("utm_medium", Utf8, true),
        ("utm_campaign", Utf8, true),
        ("utm_term", Utf8, true),
        ("utm_content", Utf8, true),
        ("element_id", Utf8, true),
        ("element_kind", Utf8, true),
        ("element_text", Utf8, true),
        ("element_class", Utf8, true),
        ("x", Int32, true),
        ("y", Int32, true),
        ("position", Int32, true),
        ("visible_ms", Int64, true),
        ("viewport_width", Int32, true),
        ("viewport_height", Int32, true),
        ("scroll_position", Int32, true),
        ("device_type", Utf8, false),
        ("os", Utf8, true),
        ("browser", Utf8, true),
        ("country", Utf8, true),
        ("bot", Boolean, false),
        ("bot_reasons", list(), false),
        ("ip", Utf8, true),
        ("user_agent", Utf8, true),
        ("locale", Utf8, true),
        ("library", Utf8, true),
        ("source", Utf8, false),
        ("verdict", Utf8, false),
        ("warnings", list(), false),
        ("properties", Utf8, false),
        ("log_id", Utf8, false),
        ("log_partition", Int32, false),
        ("log_offset", Int64, false),
    ]
}

static EVENT: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    // The lake's columns may all be null: Delta's readers differ in what they make of required ones.
    Arc::new(Schema::new(columns().into_iter().map(|(name, kind, _)| Field::new(name, kind, true)).collect::<Vec<_>>()))
});

static RAW: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let mut fields: Vec<_> = EVENT.fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new("dead_letter", DataType::Binary, true)));
    Arc::new(Schema::new(fields))
});

/// Columns of an event in the lake: every field of `Event` in declaration order, then `log_id`, `log_partition`, `log_offset`.
pub fn event_schema() -> Arc<Schema> {
    Arc::clone(&EVENT)
}

/// Columns of a raw object: [`event_schema`], then `dead_letter`, the bytes of a record that is no event; where it stands, every column of an event is null.
pub fn raw_schema() -> Arc<Schema> {
    Arc::clone(&RAW)
}

/// Columns that an event always has.
pub fn required_columns() -> impl Iterator<Item = &'static str> {
    columns().into_iter().filter(|(_, _, optional)| !optional).map(|(name, _, _)| name)
}

#[cfg(test)]
mod tests {
    use clickstream_event::EVENT_SCHEMA;

    use super::event_schema;

    /// A column more is a version more.
    #[test]
    fn each_version_of_the_schema_has_so_many_columns() {
        assert_eq!((EVENT_SCHEMA, event_schema().fields().len()), (1, 48));
    }
}
