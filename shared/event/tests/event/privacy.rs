//! Sites that keep less: cookieless ones, those that drop addresses, and those with a cap on names of properties.

use clickstream_event::{
    Arrival, Event, IpPolicy, Micros, Outcome, PropertyNames, Reason, Rejection, Shape, Site, Source, Verdict, VisitorSecret, admit,
    parse_record,
};
use serde_json::{Value, json};

const NOW: i64 = 1_795_521_600_000_000; // 2026-11-24T12:00:00Z
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";

fn arrival(source: Source) -> Arrival<'static> {
    let http = source == Source::Http;
    Arrival {
        received_at: Micros(NOW),
        source,
        ip: http.then(|| [93, 184, 216, 34].into()),
        user_agent: http.then_some(CHROME),
        country: None,
        sent_at: None,
    }
}

fn cookieless() -> Site {
    Site { cookieless: true, visitor_secret: VisitorSecret::new(b"secret"), ..Site::new("shop", "k") }
}

fn outcome(site: &Site, shape: Shape, json: &Value, arrival: &Arrival<'_>) -> Outcome {
    admit(&parse_record(json.to_string().as_bytes(), shape).unwrap(), site, arrival)
}

fn accepted(site: &Site, shape: Shape, json: &Value, arrival: &Arrival<'_>) -> (Event, Vec<Reason>) {
    match outcome(site, shape, json, arrival) {
        Outcome::Accepted(event, reasons) => (*event, reasons),
        Outcome::Rejected(rejection) => panic!("{rejection:?}"),
    }
}

fn rejected(site: &Site, shape: Shape, json: &Value, arrival: &Arrival<'_>) -> Rejection {
    match outcome(site, shape, json, arrival) {
        Outcome::Rejected(rejection) => *rejection,
        Outcome::Accepted(event, _) => panic!("{event:?}"),
    }
}

/// What a client sends that stores ids.
fn click() -> Value {
    json!({
        "type": "track", "event": "element_clicked", "messageId": "m-1", "anonymousId": "stored-anonymous",
        "timestamp": "2026-11-24T11:59:00Z", "previousId": "stored-previous",
        "properties": {"element_id": "buy", "session_id": "stored-session", "colour": "red"},
        "context": {"sessionId": "stored-session", "device": {"id": "stored-device", "type": "desktop"}}
    })
}

#[test]
fn a_cookieless_site_knows_its_visitors_by_the_request_alone() {
    let site = cookieless();
    let (event, reasons) = accepted(&site, Shape::Segment, &click(), &arrival(Source::Http));
    assert_eq!((event.verdict, reasons), (Verdict::Valid, vec![]));
    let text = serde_json::to_string(&event).unwrap();
    assert!(
        !text.contains("stored-") && !text.contains("Windows NT") && event.session_id.is_none() && event.user_agent.is_none(),
        "{text}"
    );
    assert_eq!((event.browser.as_deref(), event.os.as_deref()), (Some("Chrome"), Some("Windows")));
    let id = event.anonymous_id.clone().unwrap();
    let again = |json: &Value, arrival: &Arrival<'_>| accepted(&site, Shape::Segment, json, arrival).0.anonymous_id.unwrap();
    // Whatever the client stores or not, it is the same visitor, today.
    let mut bare = click();
    (bare["anonymousId"], bare["messageId"]) = ("other".into(), "m-2".into());
    assert_eq!(again(&bare, &arrival(Source::Http)), id);
    let mut yesterday = click();
    yesterday["timestamp"] = "2026-11-23T23:59:00Z".into();
    assert_ne!(again(&yesterday, &arrival(Source::Http)), id);
    assert_ne!(again(&click(), &Arrival { ip: Some([93, 184, 216, 35].into()), ..arrival(Source::Http) }), id);
    assert_ne!(again(&click(), &Arrival { user_agent: Some("Mozilla/5.0 (X11; Linux x86_64)"), ..arrival(Source::Http) }), id);
    // A person that the site names stays named.
    let mut named = click();
    named["userId"] = "user-7".into();
    let (event, _) = accepted(&site, Shape::Segment, &named, &arrival(Source::Http));
    assert_eq!((event.user_id.as_deref(), event.anonymous_id), (Some("user-7"), Some(id)));
}

#[test]
fn without_any_id_a_visitor_of_a_cookieless_site_is_known_and_else_is_not() {
    let event = json!({"action": "custom", "name": "n", "event_id": "1", "occurred_at": "2026-11-24T11:59:00Z"});
    assert!(accepted(&cookieless(), Shape::Canonical, &event, &arrival(Source::Http)).0.anonymous_id.is_some());
    assert_eq!(
        rejected(&Site::new("shop", "k"), Shape::Canonical, &event, &arrival(Source::Http)).reasons[0].code.as_str(),
        "identity_missing"
    );
    // A file's event shows a visitor only if it says so itself.
    let reasons = rejected(&cookieless(), Shape::Canonical, &event, &arrival(Source::File)).reasons;
    assert!(reasons[0].code.as_str() == "identity_missing" && reasons[0].message.contains("cookieless"), "{reasons:?}");
    let mut told = event;
    told["ip"] = "8.8.8.8".into();
    let (event, _) = accepted(&cookieless(), Shape::Canonical, &told, &arrival(Source::File));
    assert!(event.anonymous_id.is_some() && event.ip.as_deref() == Some("8.8.8.0"));
}

#[test]
fn a_rejected_event_of_a_cookieless_site_keeps_no_id_and_is_replayed_as_the_same_visitor() {
    let site = cookieless();
    let mut wrong = click();
    wrong["properties"]["element_id"] = Value::Null;
    (wrong["context"]["ip"], wrong["context"]["userAgent"]) = ("8.8.4.4".into(), CHROME.into());
    let rejection = rejected(&site, Shape::Segment, &wrong, &arrival(Source::Http));
    assert!(!rejection.original.contains("stored-") && !rejection.original.contains("8.8.4.4"), "{}", rejection.original);
    assert!(!rejection.original.contains("Windows NT") && rejection.original.contains("colour"), "{}", rejection.original);
    let right = click();
    let declared = Arrival { ip: Some([8, 8, 4, 4].into()), ..arrival(Source::Http) };
    let id = accepted(&site, Shape::Segment, &right, &declared).0.anonymous_id;
    let kept: Value = serde_json::from_str(&rejection.original).unwrap();
    assert_eq!(kept["anonymousId"].as_str(), id.as_deref());
}

#[test]
fn a_site_that_drops_addresses_keeps_them_nowhere() {
    let site = Site { ip_policy: IpPolicy::Drop, ..Site::new("shop", "k") };
    let mut json = click();
    json["context"]["ip"] = "8.8.4.4".into();
    let (event, _) = accepted(&site, Shape::Segment, &json, &arrival(Source::Http));
    assert_eq!((event.ip, event.anonymous_id.as_deref()), (None, Some("stored-anonymous")));
    json["properties"]["element_id"] = Value::Null;
    let rejection = rejected(&site, Shape::Segment, &json, &arrival(Source::Http));
    assert!(!rejection.original.contains("8.8.4.4") && rejection.original.contains("stored-anonymous"), "{}", rejection.original);
    let other = rejected(&Site::new("shop", "k"), Shape::Segment, &json, &arrival(Source::Http));
    assert_eq!(other.original, json.to_string());
}

#[test]
fn names_of_properties_past_the_cap_are_left_out_and_the_event_is_kept() {
    let site = Site { property_names: Some(PropertyNames::new(2)), ..Site::new("shop", "k") };
    let admit = |properties: Value| {
        let event = json!({"action": "custom", "name": "n", "user_id": "u", "properties": properties});
        let (event, reasons) = accepted(&site, Shape::Canonical, &event, &arrival(Source::Http));
        (event.properties.as_str().to_owned(), event.verdict, reasons.iter().filter(|r| r.code.as_str() == "property_name_capped").count())
    };
    assert_eq!(admit(json!({"a": 1, "b": {"deep": 1}})), (r#"{"a":1,"b":{"deep":1}}"#.to_owned(), Verdict::Valid, 0));
    assert_eq!(admit(json!({"a": 2, "c": 1, "d": 1})), (r#"{"a":2}"#.to_owned(), Verdict::Suspicious, 1));
    assert_eq!(admit(json!({"c": 1})), ("{}".to_owned(), Verdict::Suspicious, 1));
    // What is rejected takes no room.
    let fresh = Site { property_names: Some(PropertyNames::new(1)), ..Site::new("shop", "k") };
    rejected(&fresh, Shape::Canonical, &json!({"action": "click", "user_id": "u", "x1": 1}), &arrival(Source::Http));
    assert!(fresh.property_names.unwrap().admit("y"));
}
