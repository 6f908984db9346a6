//! What makes an event valid, suspicious or invalid, whichever way it came.

use clickstream_event::{
    Action, Arrival, DeviceType, Event, Micros, Outcome, RawEvent, Reason, Rejection, RowHeader, Shape, Site, Source, Verdict, admit,
    parse_body, parse_record,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: i64 = 1_795_521_600_000_000; // 2026-11-24T12:00:00Z
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";

fn arrival(source: Source) -> Arrival<'static> {
    Arrival {
        received_at: Micros(NOW),
        source,
        ip: Some([93, 184, 216, 34].into()),
        user_agent: Some(CHROME),
        country: None,
        sent_at: None,
    }
}

fn record(shape: Shape, json: &Value) -> RawEvent {
    let raw = parse_record(json.to_string().as_bytes(), shape).unwrap();
    RawEvent { shape, ..raw }
}

fn outcome(shape: Shape, json: &Value, source: Source) -> Outcome {
    admit(&record(shape, json), &Site::new("demo", "demo"), &arrival(source))
}

fn accepted(shape: Shape, json: &Value, source: Source) -> (Event, Vec<Reason>) {
    match outcome(shape, json, source) {
        Outcome::Accepted(event, reasons) => (*event, reasons),
        Outcome::Rejected(rejection) => panic!("{rejection:?}"),
    }
}

fn rejected(shape: Shape, json: &Value, source: Source) -> Rejection {
    match outcome(shape, json, source) {
        Outcome::Rejected(rejection) => *rejection,
        Outcome::Accepted(event, _) => panic!("{event:?}"),
    }
}

fn click() -> Value {
    json!({
        "type": "track", "event": "element_clicked", "messageId": "m-1", "anonymousId": "a-1", "timestamp": "2026-11-24T11:59:00Z",
        "properties": {"element_id": "buy", "x": 10, "y": "20", "session_id": "s-1", "colour": "red"},
        "context": {"page": {"url": "https://shop.example/cart?utm_source=news&token=1#x"}, "locale": "ru-RU"}
    })
}

#[test]
fn a_click_in_segments_shape_becomes_an_event() {
    let (event, reasons) = accepted(Shape::Segment, &click(), Source::Http);
    assert_eq!(reasons, []);
    assert_eq!((event.action, event.verdict, event.device_type), (Action::Click, Verdict::Valid, DeviceType::Desktop));
    assert_eq!((event.x, event.y), (Some(10), Some(20)));
    assert_eq!(event.url.as_deref(), Some("https://shop.example/cart?utm_source=news"));
    assert_eq!((event.path.as_deref(), event.utm_source.as_deref()), (Some("/cart"), Some("news")));
    assert_eq!(event.ip.as_deref(), Some("93.184.216.0"));
    assert_eq!(event.session_id.as_deref(), Some("s-1"));
    assert_eq!(event.properties.as_str(), r#"{"colour":"red"}"#);
}

#[test]
fn one_event_means_the_same_in_every_shape() {
    let (segment, _) = accepted(Shape::Segment, &click(), Source::Topic);
    let canonical = json!({
        "event_id": "m-1", "site_id": "demo", "action": "click", "name": "element_clicked", "anonymous_id": "a-1", "session_id": "s-1",
        "occurred_at": "2026-11-24T11:59:00Z", "element_id": "buy", "x": 10, "y": 20, "properties": {"colour": "red"},
        "url": "https://shop.example/cart?utm_source=news", "locale": "ru-RU"
    });
    assert_eq!(segment, accepted(Shape::Canonical, &canonical, Source::Topic).0);
    let clicks = json!({
        "id": "m-1", "type": "CLICK", "createdAt": "2026-11-24 11:59:00", "sessionId": "s-1", "anonymousId": "a-1",
        "url": "https://shop.example/cart?utm_source=news",
        "payload": {"eventTitle": "element_clicked", "elementId": "buy", "x": 10, "y": 20, "metadata": "{\"colour\":\"red\"}"}
    });
    let (mut clicks, _) = accepted(Shape::Clicks, &clicks, Source::Topic);
    clicks.locale = Some("ru-RU".into());
    assert_eq!(segment, clicks);
}

#[test]
fn a_row_of_the_clicks_csv_loads_unchanged() {
    let header = "id,type,createdAt,receivedAt,sessionId,ip,userId,url,referrer,deviceType,userAgent,payload.eventTitle,payload.elementId,payload.x,payload.y,payload.elementText,payload.elementClass,payload.pageTitle,payload.viewportWidth,payload.viewportHeight,payload.scrollPosition,payload.timestampOffset,payload.metadata";
    let header = RowHeader::new(header.split(',')).unwrap();
    let row = [
        "11111111-2222-4333-8444-555555555555",
        "VIEW",
        "2020-01-02 03:04:05.678",
        "2020-01-02 03:04:06",
        "s",
        "8.8.4.4",
        "null",
        "https://shop.example/",
        "null",
        "IOS",
        "null",
        "Hero",
        "hero",
        "1.6",
        "2",
        "null",
        "null",
        "Home",
        "390",
        "844",
        "0",
        "180",
        "{\"a\":1}",
    ];
    let raw = header.event(row).unwrap();
    let Outcome::Accepted(event, _) =
        admit(&raw, &Site::new("demo", "demo"), &Arrival { user_agent: None, ip: None, ..arrival(Source::File) })
    else {
        panic!("rejected")
    };
    assert_eq!(event.occurred_at, Micros(1_577_934_245_678_000));
    assert_eq!((event.device_type, event.os.as_deref(), event.ip.as_deref()), (DeviceType::Mobile, Some("iOS"), Some("8.8.4.0")));
    assert_eq!((event.x, event.viewport_width), (Some(2), Some(390)));
    assert_eq!(event.properties.as_str(), r#"{"a":1,"receivedAt":"2020-01-02 03:04:06","timestampOffset":"180"}"#);
}

#[test]
fn clock_skew_is_corrected_and_never_passes_the_arrival() {
    let mut json = click();
    json["timestamp"] = "2026-11-24T14:00:00Z".into();
    json["sentAt"] = "2026-11-24T14:00:30Z".into();
    let (event, reasons) = accepted(Shape::Segment, &json, Source::Http);
    assert_eq!(event.occurred_at, Micros(NOW - 30 * Micros::SECOND));
    assert_eq!(event.original_at, Micros(NOW + 2 * Micros::HOUR));
    assert_eq!(reasons[0].code.as_str(), "clock_skew");
}

#[test]
fn every_reason_of_a_rejection_is_named() {
    let rejection = rejected(Shape::Segment, &json!({"type": "trakc", "timestamp": "soon"}), Source::Topic);
    let codes: Vec<_> = rejection.reasons.iter().map(|r| r.code.as_str()).collect();
    assert_eq!(codes, ["id_missing", "action_unknown", "time_invalid", "identity_missing"]);
    assert!(rejection.original.contains("trakc"));
    let mut json = click();
    json["timestamp"] = "2026-11-26T12:00:00Z".into();
    assert_eq!(rejected(Shape::Segment, &json, Source::Http).reasons[0].code.as_str(), "time_in_future");
    json["timestamp"] = "2026-01-01T12:00:00Z".into();
    assert_eq!(rejected(Shape::Segment, &json, Source::Http).reasons[0].code.as_str(), "too_old");
    assert!(matches!(outcome(Shape::Segment, &json, Source::File), Outcome::Accepted(..)));
    let mut json = click();
    json["properties"]["element_id"] = Value::Null;
    assert_eq!(rejected(Shape::Segment, &json, Source::Http).reasons[0].code.as_str(), "element_missing");
}

#[test]
fn a_bad_optional_field_is_left_out_and_named() {
    let mut json = click();
    json["properties"]["x"] = json!({});
    json["context"]["ip"] = json!("10.0.0.1");
    json["context"]["page"]["url"] = json!("not an address");
    json["properties"]["element_text"] = json!("t".repeat(5_000));
    let (event, reasons) = accepted(Shape::Segment, &json, Source::Http);
    assert_eq!(event.verdict, Verdict::Suspicious);
    assert_eq!((event.x, event.ip, event.url), (None, None, None));
    assert_eq!(event.element_text.unwrap().len(), 1_000);
    let told: Vec<_> = reasons.iter().map(|r| (r.code.as_str(), r.field.as_deref().unwrap())).collect();
    assert!(
        told.contains(&("field_invalid", "x"))
            && told.contains(&("ip_private", "context.ip"))
            && told.contains(&("field_truncated", "element_text")),
        "{told:?}"
    );
}

#[test]
fn http_without_an_id_gets_one_and_other_ways_need_one() {
    let mut json = click();
    json["messageId"] = Value::Null;
    let (event, reasons) = accepted(Shape::Segment, &json, Source::Http);
    assert_eq!((event.event_id.get_version_num(), reasons[0].code.as_str(), event.verdict), (7, "id_assigned", Verdict::Valid));
    assert_eq!(rejected(Shape::Segment, &json, Source::File).reasons[0].code.as_str(), "id_missing");
}

proptest! {
    #[test]
    fn no_body_breaks_the_parsers(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for shape in [Shape::Segment, Shape::Canonical, Shape::Clicks] {
            let _ = parse_body(&bytes, shape, Some("batch"), 10);
            let _ = parse_record(&bytes, shape);
        }
    }

    #[test]
    fn no_object_breaks_admission(json in any_object()) {
        for shape in [Shape::Segment, Shape::Canonical, Shape::Clicks] {
            for source in [Source::Http, Source::File] {
                if let Outcome::Accepted(event, _) = outcome(shape, &json, source) {
                    prop_assert!(event.occurred_at <= event.received_at);
                    let text = serde_json::to_string(&event).unwrap();
                    prop_assert_eq!(&serde_json::from_str::<Event>(&text).unwrap(), &*event);
                    prop_assert!(!text.contains("\\u0000"));
                }
            }
        }
    }

    #[test]
    fn a_resend_keeps_its_place(id in "[a-z0-9-]{1,40}", at in 0_i64..1_000_000, sent in 0_i64..1_000_000, again in 0_i64..1_000_000) {
        let send = |sent: i64| {
            let mut json = click();
            json["messageId"] = id.clone().into();
            json["timestamp"] = ((NOW - at * 1_000_000) / 1_000).into();
            json["sentAt"] = ((NOW - sent * 1_000_000) / 1_000).into();
            accepted(Shape::Segment, &json, Source::Http).0
        };
        let (first, second) = (send(sent.min(at)), send(again.min(at)));
        prop_assert_eq!(first.event_id, second.event_id);
        prop_assert_eq!(first.original_at, second.original_at);
    }
}

/// Objects that use the names of every shape with values of every type.
fn any_object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(Value::from("a\0b")),
        Just(Value::from("2026-11-24T11:00:00Z")),
        Just(Value::from("track")),
        Just(Value::from("CLICK")),
        Just(Value::from("view")),
    ];
    let name = prop::sample::select(vec![
        "type",
        "event",
        "messageId",
        "anonymousId",
        "userId",
        "timestamp",
        "sentAt",
        "properties",
        "traits",
        "context",
        "page",
        "url",
        "ip",
        "event_id",
        "action",
        "occurred_at",
        "element_id",
        "session_id",
        "x",
        "id",
        "createdAt",
        "sessionId",
        "payload",
        "elementId",
        "metadata",
        "payload.x",
        "device_type",
        "deviceType",
        "user_agent",
    ]);
    let value = leaf.prop_recursive(3, 24, 6, move |inner| {
        prop::collection::hash_map(name.clone().prop_map(str::to_owned), inner, 0..8)
            .prop_map(|m| m.into_iter().collect::<serde_json::Map<_, _>>().into())
    });
    prop::collection::hash_map(
        prop::sample::select(vec![
            "type",
            "event",
            "messageId",
            "anonymousId",
            "timestamp",
            "sentAt",
            "properties",
            "context",
            "event_id",
            "action",
            "occurred_at",
            "element_id",
            "session_id",
            "id",
            "createdAt",
            "sessionId",
            "payload",
        ])
        .prop_map(str::to_owned),
        value,
        0..14,
    )
    .prop_map(|m| m.into_iter().collect::<serde_json::Map<_, _>>().into())
}
