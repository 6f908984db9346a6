//! What every target checks of an event, whichever way it came.

use std::net::IpAddr;

use clickstream_event::{Action, Arrival, Event, Micros, Outcome, RawEvent, Rejection, Shape, Site, Source, admit, parse_record};

/// One moment for every run, so that a finding repeats: 2026-11-24T12:00:00Z.
pub const NOW: Micros = Micros(1_795_521_600_000_000);
/// Longest text that an event holds, characters.
const TEXT: usize = 1_000;
/// Longest id or name, characters.
const NAME: usize = 200;

/// The site that everything is sent to.
pub fn site() -> Site {
    Site { allowed_query: vec!["q".to_owned()], ..Site::new("shop", "k3y") }
}

/// A way in by `source` at [`NOW`].
pub fn arrival(source: Source) -> Arrival<'static> {
    Arrival { received_at: NOW, source, ip: None, user_agent: None, country: None, sent_at: None }
}

/// Judges one event and checks what is promised of its fate.
pub fn judge(raw: &RawEvent, arrival: &Arrival<'_>) {
    let site = site();
    match admit(raw, &site, arrival) {
        Outcome::Accepted(event, _) => accepted(&event),
        Outcome::Rejected(rejection) => {
            assert_eq!(rejection.original, raw.original(), "a rejection keeps what was sent");
            rejected(&rejection);
        }
    }
}

/// What holds of every event that is kept.
pub fn accepted(event: &Event) {
    assert_eq!(event.site_id, "shop");
    assert_eq!(event.received_at, NOW);
    assert!(!event.event_id.is_nil());
    assert!(event.person().is_some(), "an event has an identity");
    assert!(event.element_id.is_some() || !matches!(event.action, Action::View | Action::Click), "what was seen or clicked is named");
    assert!(event.occurred_at <= event.received_at, "nothing happens after it arrived");
    assert_eq!(event.bot, !event.bot_reasons.is_empty());
    for name in [&event.session_id, &event.anonymous_id, &event.user_id, &event.element_id, &event.name].into_iter().flatten() {
        bounded(name, NAME);
    }
    for text in [&event.element_text, &event.element_class, &event.page_title].into_iter().flatten() {
        bounded(text, TEXT);
    }
    if let Some(url) = &event.url {
        assert!(!url.contains('#'), "fragments are cut: {url}");
    }
    if let Some(path) = &event.path {
        assert!(!path.contains(['?', '#']), "a path has no query: {path}");
    }
    if let Some(ip) = &event.ip {
        match ip.parse().expect("an address stays one") {
            IpAddr::V4(v4) => assert_eq!(v4.octets()[3], 0, "addresses are cut"),
            IpAddr::V6(v6) => assert_eq!(u128::from(v6) << 48, 0, "addresses are cut"),
        }
    }
    let text = serde_json::to_vec(event).expect("an event is JSON");
    let back: Event = serde_json::from_slice(&text).expect("an event is read back from its JSON");
    assert_eq!(&back, event, "JSON keeps every field");
    admitted_again(event, &text);
}

fn bounded(text: &str, limit: usize) {
    assert!(text.chars().count() <= limit && !text.is_empty() && !text.contains('\0'), "{text:?} is no text of 1 to {limit} characters");
}

/// An event sent in its own canonical form is the same event.
fn admitted_again(event: &Event, text: &[u8]) {
    // Over 32 KB the JSON of a kept event is no event that may be sent; a time that the service gave is none by the
    // client's clock.
    if text.len() > clickstream_event::MAX_EVENT_BYTES || event.time_was_assigned() {
        return;
    }
    let raw = parse_record(text, Shape::Canonical).expect("an event is a record");
    assert_eq!(raw.shape, Shape::Canonical);
    let again = match admit(&raw, &site(), &arrival(event.source)) {
        Outcome::Accepted(again, _) => again,
        Outcome::Rejected(rejection) => panic!("an event is rejected in its own form: {:?}, {event:?}", rejection.reasons),
    };
    assert_eq!((again.event_id, again.action, &again.name), (event.event_id, event.action, &event.name));
    assert_eq!((again.original_at, again.occurred_at, again.sent_at), (event.original_at, event.occurred_at, event.sent_at));
    assert_eq!((&again.user_id, &again.anonymous_id, &again.session_id), (&event.user_id, &event.anonymous_id, &event.session_id));
    assert_eq!((&again.element_id, &again.element_text), (&event.element_id, &event.element_text));
    assert_eq!((again.x, again.y, again.position, again.visible_ms), (event.x, event.y, event.position, event.visible_ms));
    assert_eq!((&again.ip, &again.country), (&event.ip, &event.country));
}

/// What holds of every rejection.
pub fn rejected(rejection: &Rejection) {
    assert!(!rejection.reasons.is_empty(), "a rejection says why");
    assert!(rejection.reasons.iter().all(|r| !r.message.is_empty() && r.message.len() < 1_000));
    let text = serde_json::to_vec(rejection).expect("a rejection is JSON");
    let back: Rejection = serde_json::from_slice(&text).expect("a rejection is read back");
    assert_eq!(&back, rejection, "JSON keeps every field");
}
