//! Events and rejections to put.

use clickstream_event::{Action, DeviceType, Event, Logged, Micros, Properties, Reason, ReasonCode, Rejection, Shape, Source, Verdict};
use uuid::Uuid;

use crate::{Found, LoggedRejection, SharedStore};

/// The moment that samples count from: 2026-01-01T00:00:00Z.
pub(super) const BEGIN: i64 = 1_767_225_600 * Micros::SECOND;

/// A site that nothing else uses.
pub(super) fn site() -> String {
    format!("site-{}", Uuid::new_v4())
}

/// A click on `site`, originally and received `seconds` after the beginning, logged at partition 1
/// and an offset of as many seconds, by nobody known.
pub fn event(site: &str, seconds: i64) -> Logged {
    let at = Micros(BEGIN + seconds * Micros::SECOND);
    let event = Event {
        event_id: Uuid::new_v4(),
        site_id: site.to_owned(),
        action: Action::Click,
        name: Some("Bought \"it\" – ёлка".to_owned()),
        original_at: at,
        occurred_at: at,
        sent_at: Some(at),
        received_at: at,
        session_id: Some("session".to_owned()),
        anonymous_id: None,
        user_id: None,
        url: Some("https://shop.example/cart?utm_source=x".to_owned()),
        path: Some("/cart".to_owned()),
        referrer: None,
        page_title: Some("Cart".to_owned()),
        utm_source: Some("x".to_owned()),
        utm_medium: None,
        utm_campaign: None,
        utm_term: None,
        utm_content: None,
        element_id: Some("buy".to_owned()),
        element_kind: Some("button".to_owned()),
        element_text: Some("Buy".to_owned()),
        element_class: None,
        x: Some(-3),
        y: Some(1_024),
        position: None,
        visible_ms: Some(1 << 40),
        viewport_width: Some(1_280),
        viewport_height: Some(720),
        scroll_position: Some(0),
        device_type: DeviceType::Mobile,
        os: Some("Android".to_owned()),
        browser: None,
        country: Some("DE".to_owned()),
        bot: false,
        bot_reasons: Vec::new(),
        ip: Some("203.0.113.0".to_owned()),
        user_agent: Some("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36".to_owned()),
        locale: Some("de-DE".to_owned()),
        library: Some("clickstream.js/0.1".to_owned()),
        source: Source::Http,
        verdict: Verdict::Suspicious,
        warnings: vec!["clock_skew".to_owned()],
        properties: Properties::from_json(r#"{"price":12.50,"big":12345678901234567890123,"nested":{"a":[1,null]}}"#).unwrap(),
    };
    Logged { log_partition: 1, log_offset: seconds.unsigned_abs(), event }
}

/// A rejection on `site`, received `seconds` after the beginning, at a place of its own.
pub fn rejection(site: &str, seconds: i64) -> LoggedRejection {
    LoggedRejection {
        log_partition: 0,
        // The lower half of a random id: no other check uses the place.
        log_offset: Uuid::new_v4().as_u64_pair().1 >> 2,
        rejection: Rejection {
            site_id: Some(site.to_owned()),
            event_id: Some(Uuid::new_v4()),
            message_id: Some("m-1".to_owned()),
            received_at: Micros(BEGIN + seconds * Micros::SECOND),
            source: Source::File,
            shape: Shape::Clicks,
            reasons: vec![Reason::new(ReasonCode::TimeInvalid, "createdAt", "cannot be read")],
            original: "a,b,\u{fffd},\"c\"\n".to_owned(),
        },
    }
}

/// The same event, received and logged elsewhere and else when.
pub(super) fn copy(of: &Logged, received_at: i64, partition: u32, offset: u64) -> Logged {
    let mut copy = of.clone();
    copy.event.received_at = Micros(received_at);
    (copy.log_partition, copy.log_offset) = (partition, offset);
    copy
}

/// The kept event of that id.
pub(super) async fn kept(store: &SharedStore, like: &Logged) -> Option<Logged> {
    match store.find(Some(&like.event.site_id), like.event.event_id).await.unwrap()? {
        Found::Event(event) => Some(*event),
        Found::Rejected(r) => panic!("rejected: {r:?}"),
        Found::Erased(_) => None,
    }
}

/// Asserts that `store`, which told `before` as its count, holds `added` events more, if it counts.
pub(super) async fn assert_added(store: &SharedStore, before: Option<u64>, added: u64) {
    let now = store.count().await.unwrap();
    assert_eq!(now.zip(before).map(|(now, before)| now - before), before.map(|_| added));
}
