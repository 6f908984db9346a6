//! Events of earlier versions by the rules of this one.

use clickstream_event::{
    AgentSays, Arrival, DeviceType, Event, IpPolicy, Micros, Outcome, Shape, Site, Source, Verdict, VisitorSecret, admit, parse_record,
    rederive,
};
use proptest::{option, prelude::*, sample::select};
use serde_json::{Map, Value, json};

const NOW: Micros = Micros(1_795_521_600_000_000); // 2026-11-24T12:00:00Z
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
const IPAD: &str =
    "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1";
const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
const HEADLESS: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36";

fn admitted(site: &Site, event: &Value, user_agent: Option<&str>) -> Option<Event> {
    let arrival =
        Arrival { received_at: NOW, source: Source::Http, ip: Some([93, 184, 216, 34].into()), user_agent, country: None, sent_at: None };
    let shape = if event.get("type").is_some() { Shape::Segment } else { Shape::Canonical };
    match admit(&parse_record(event.to_string().as_bytes(), shape).ok()?, site, &arrival) {
        Outcome::Accepted(event, _) => Some(*event),
        Outcome::Rejected(_) => None,
    }
}

fn site() -> Site {
    Site { allowed_query: vec!["q".to_owned()], ..Site::new("shop", "k") }
}

/// A click as this version admits it, from a browser with this user agent.
fn click(user_agent: &str) -> Event {
    let event = json!({
        "event_id": "1", "action": "click", "element_id": "buy", "anonymous_id": "a", "occurred_at": "2026-11-24T11:00:00Z",
        "url": "https://shop.example/cart?q=1&utm_source=news", "referrer": "https://search.example/?q=shoes"
    });
    admitted(&site(), &event, Some(user_agent)).unwrap()
}

/// The same, by a version that knew nothing of the agent.
fn earlier(user_agent: &str) -> Event {
    Event {
        device_type: DeviceType::Unknown,
        os: None,
        browser: None,
        bot: false,
        bot_reasons: Vec::new(),
        verdict: Verdict::Suspicious,
        warnings: vec!["device_unknown".to_owned()],
        ..click(user_agent)
    }
}

#[test]
fn an_agent_that_is_known_now_is_told() {
    for agent in [IPHONE, IPAD, GOOGLEBOT, HEADLESS] {
        assert_eq!(rederive(&earlier(agent), Some(&site()), AgentSays::Fills), click(agent), "{agent}");
    }
}

#[test]
fn what_an_earlier_version_took_for_a_machine_is_a_person() {
    let wrong = Event { device_type: DeviceType::Bot, bot: true, bot_reasons: vec!["ua_old_rule".to_owned()], ..click(IPHONE) };
    assert_eq!(rederive(&wrong, Some(&site()), AgentSays::Fills), click(IPHONE));
    let declared = Event { device_type: DeviceType::Bot, bot: true, bot_reasons: vec!["declared".to_owned()], ..click(IPHONE) };
    assert_eq!(rederive(&declared, Some(&site()), AgentSays::Rules), declared);
}

#[test]
fn what_a_sender_may_have_declared_stands_unless_the_agent_rules() {
    let stands =
        Event { device_type: DeviceType::Desktop, os: Some("Symbian".to_owned()), browser: Some("Own".to_owned()), ..click(IPHONE) };
    assert_eq!(rederive(&stands, Some(&site()), AgentSays::Fills), stands);
    assert_eq!(rederive(&stands, Some(&site()), AgentSays::Rules), click(IPHONE));
    let phone = Event { device_type: DeviceType::Mobile, ..click(IPAD) };
    assert_eq!(rederive(&phone, Some(&site()), AgentSays::Fills).device_type, DeviceType::Tablet);
}

#[test]
fn addresses_are_kept_as_the_site_keeps_them_now() {
    let old = Event {
        url: Some("https://shop.example/cart?email=x%40y&q=1&utm_source=news#top".to_owned()),
        path: None,
        utm_source: None,
        referrer: Some("/cart?token=1".to_owned()),
        ip: Some("93.184.216.34".to_owned()),
        ..click(IPHONE)
    };
    let now = rederive(&old, Some(&site()), AgentSays::Fills);
    assert_eq!(now, Event { referrer: Some("/cart".to_owned()), ..click(IPHONE) });
    assert_eq!(now.ip.as_deref(), Some("93.184.216.0"));
    let private = Site { ip_policy: IpPolicy::Drop, cookieless: true, ..site() };
    let kept = rederive(&old, Some(&private), AgentSays::Fills);
    assert_eq!((kept.ip, kept.user_agent, kept.device_type), (None, None, DeviceType::Mobile));
    // Of a site that is no more, nobody knows which parameters it kept.
    assert_eq!(rederive(&old, None, AgentSays::Fills).url, old.url);
    let wrong = Event { url: Some("not an address".to_owned()), ..click(IPHONE) };
    let left = rederive(&wrong, Some(&site()), AgentSays::Fills);
    assert_eq!((left.url, left.verdict, left.warnings), (None, Verdict::Suspicious, vec!["field_invalid".to_owned()]));
}

#[test]
fn a_cookieless_site_keeps_nothing_that_a_client_stored() {
    let stored = click(IPHONE).properties;
    let event = Event { properties: serde_json::from_str(r#"{"previousId":"p","colour":"red"}"#).unwrap(), ..click(IPHONE) };
    let cookieless = Site { cookieless: true, ..site() };
    assert_eq!(rederive(&event, Some(&cookieless), AgentSays::Fills).properties.as_str(), r#"{"colour":"red"}"#);
    assert_eq!(rederive(&click(IPHONE), Some(&cookieless), AgentSays::Fills).properties, stored);
}

fn agents() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![IPHONE, IPAD, GOOGLEBOT, HEADLESS, "curl/8.5.0", "Mozilla/5.0", "Opera/9.80 (Android; Opera Mini/36)"])
            .prop_map(str::to_owned),
        "(Mozilla/5.0 )?\\PC{0,60}",
    ]
}

fn addresses() -> impl Strategy<Value = String> {
    prop_oneof![
        "https?://[a-z]{1,5}\\.example/\\PC{0,20}(\\?[a-z=&%0-9+_]{0,30})?(#[a-z]{0,5})?",
        "/{1,3}\\PC{0,12}(\\?(q|utm_source|utm_medium|email)=\\PC{0,8})?",
        "[a-z]{2,6}:\\PC{0,20}",
        "\\PC{0,30}",
    ]
}

prop_compose! {
    fn sent()(
        segment in any::<bool>(),
        action in select(vec!["click", "page", "custom"]),
        device in option::of(select(vec!["desktop", "mobile", "tablet", "bot", "android", "ios", "unknown", "toaster"])),
        os in option::of("[A-Za-z ]{0,8}"),
        browser in option::of("[A-Za-z ]{0,8}"),
        agent in option::of(agents()),
        url in option::of(addresses()),
        referrer in option::of(addresses()),
        path in option::of("/?[a-z/?#]{0,10}"),
        utm in option::of("[a-z ]{0,5}"),
        ip in option::of(select(vec!["10.0.0.1", "93.184.216.34", "2a00:1450:4001::1", "nonsense", "255.1.1.1", "64:ff9b::808:808"])),
        x in option::of(any::<i64>()),
        previous in any::<bool>(),
    ) -> Value {
        let mut event = Map::new();
        let set = |map: &mut Map<String, Value>, name: &str, value: Option<Value>| drop(value.map(|v| map.insert(name.to_owned(), v)));
        if segment {
            let mut page = Map::new();
            set(&mut page, "url", url.map(Value::from));
            set(&mut page, "referrer", referrer.map(Value::from));
            set(&mut page, "path", path.map(Value::from));
            let context = json!({
                "page": page, "device": { "type": device }, "os": { "name": os }, "userAgent": agent, "ip": ip, "campaign": { "source": utm }
            });
            event.insert("context".to_owned(), context);
            event.insert("type".to_owned(), "track".into());
            event.insert("event".to_owned(), if action == "click" { "element_clicked".into() } else { action.into() });
            event.insert("properties".to_owned(), json!({ "element_id": "e", "x": x }));
            event.insert("messageId".to_owned(), "m".into());
            event.insert("anonymousId".to_owned(), "a".into());
        } else {
            for (name, value) in [
                ("action", Some(action.into())), ("event_id", Some("m".into())), ("anonymous_id", Some("a".into())),
                ("element_id", Some("e".into())), ("device_type", device.map(Value::from)), ("os", os.map(Value::from)),
                ("browser", browser.map(Value::from)), ("user_agent", agent.map(Value::from)), ("url", url.map(Value::from)),
                ("referrer", referrer.map(Value::from)), ("path", path.map(Value::from)), ("utm_source", utm.map(Value::from)),
                ("ip", ip.map(Value::from)), ("x", x.map(Value::from)),
            ] {
                set(&mut event, name, value);
            }
        }
        if previous {
            event.insert("previousId".to_owned(), "p".into());
        }
        Value::Object(event)
    }
}

fn sites() -> impl Strategy<Value = Site> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(cookieless, drops, allows)| Site {
        cookieless,
        visitor_secret: VisitorSecret::new(b"secret"),
        ip_policy: if drops { IpPolicy::Drop } else { IpPolicy::Anonymize },
        allowed_query: if allows { vec!["q".to_owned()] } else { Vec::new() },
        ..Site::new("shop", "k")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn what_this_version_admits_it_leaves_as_it_is(sent in sent(), site in sites(), header in option::of(agents())) {
        if let Some(event) = admitted(&site, &sent, header.as_deref()) {
            prop_assert_eq!(rederive(&event, Some(&site), AgentSays::Fills), event);
        }
    }

    #[test]
    fn twice_is_once_and_ids_times_and_persons_stay(
        sent in sent(), admitting in sites(), site in option::of(sites()), rules in any::<bool>(), device in select(vec!["desktop", "mobile", "bot", "unknown"]),
        url in option::of(addresses()), ip in option::of("\\PC{0,12}"), reasons in prop::collection::vec("(ua_spider|declared|old)", 0..3),
    ) {
        let says = if rules { AgentSays::Rules } else { AgentSays::Fills };
        if let Some(event) = admitted(&admitting, &sent, None) {
            let old = Event { device_type: DeviceType::from_name(device).unwrap(), url, ip, bot_reasons: reasons, ..event };
            let once = rederive(&old, site.as_ref(), says);
            prop_assert_eq!(&rederive(&once, site.as_ref(), says), &once);
            let fixed = |e: &Event| (
                (e.event_id, e.site_id.clone(), e.action, e.name.clone(), e.original_at, e.occurred_at, e.sent_at, e.received_at),
                (e.session_id.clone(), e.anonymous_id.clone(), e.user_id.clone(), e.country.clone(), e.source, e.x),
            );
            prop_assert_eq!(fixed(&old), fixed(&once));
        }
    }
}
