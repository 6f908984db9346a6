//! Events to insert.

use bytes::Bytes;
use clickstream_columns::{RawRow, event_schema, raw_batch, write_lake_file, write_raw_object};
use clickstream_event::{Action, DeviceType, Event, Micros, Properties, Source, Verdict};
use uuid::Uuid;

/// 2026-03-10T00:00:00Z.
pub const BEGIN: i64 = 1_773_100_800 * Micros::SECOND;
/// The log that samples were logged in.
pub const LOG: &str = "log";

/// A click on `site`, so many seconds after the day began, by `person`.
pub fn event(site: &str, seconds: i64, person: &str) -> Event {
    let at = Micros(BEGIN + seconds * Micros::SECOND);
    Event {
        event_id: Uuid::new_v4(),
        site_id: site.to_owned(),
        action: Action::Click,
        name: None,
        original_at: at,
        occurred_at: at,
        sent_at: Some(at),
        received_at: at.plus(Micros::SECOND / 5),
        session_id: None,
        anonymous_id: Some(person.to_owned()),
        user_id: None,
        url: Some("https://shop.example/cart".to_owned()),
        path: Some("/cart".to_owned()),
        referrer: None,
        page_title: Some("Cart – ёлка".to_owned()),
        utm_source: None,
        utm_medium: None,
        utm_campaign: None,
        utm_term: None,
        utm_content: None,
        element_id: Some("buy".to_owned()),
        element_kind: Some("button".to_owned()),
        element_text: Some("Buy".to_owned()),
        element_class: None,
        x: Some(640),
        y: Some(120),
        position: None,
        visible_ms: None,
        viewport_width: Some(1_280),
        viewport_height: Some(720),
        scroll_position: None,
        device_type: DeviceType::Desktop,
        os: Some("Windows".to_owned()),
        browser: Some("Firefox".to_owned()),
        country: None,
        bot: false,
        bot_reasons: Vec::new(),
        ip: None,
        user_agent: None,
        locale: None,
        library: None,
        source: Source::Http,
        verdict: Verdict::Valid,
        warnings: Vec::new(),
        properties: Properties::default(),
    }
}

/// A raw object of partition 0 with these events at `first` and what follows.
pub fn object(first: u64, events: &[Event]) -> Bytes {
    object_of(&events.iter().map(|e| RawRow::Event(Box::new(e.clone()))).zip(first..).map(|(row, at)| (at, row)).collect::<Vec<_>>())
}

/// A raw object of partition 0.
pub fn object_of(rows: &[(u64, RawRow)]) -> Bytes {
    write_raw_object(&raw_batch(LOG, 0, rows).unwrap()).unwrap()
}

/// A lake file with these events, which were logged in partition 0 at `first` and what follows.
pub fn lake_file(first: u64, events: &[Event]) -> Bytes {
    let rows: Vec<_> = events.iter().map(|e| RawRow::Event(Box::new(e.clone()))).zip(first..).map(|(row, at)| (at, row)).collect();
    let raw = raw_batch(LOG, 0, &rows).unwrap();
    let columns: Vec<usize> = (0..event_schema().fields().len()).collect();
    write_lake_file([Ok(raw.project(&columns).unwrap())]).unwrap()
}
