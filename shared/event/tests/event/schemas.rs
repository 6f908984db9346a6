//! Events held against the schemas of their site.

use std::sync::Arc;

use clickstream_event::{Arrival, Micros, Outcome, Shape, Site, Sites, Source, Verdict, admit, parse_record};
use serde_json::{Value, json};

const SITES: &str = r#"
[[site]]
id = "shop"
write_keys = ["k"]
property_names = 1

[[site.schema]]
event = "order_completed"
version = 2
violation = "reject"
schema = { type = "object", required = ["total", "currency"], properties = { total = { type = "number", minimum = 0.5 }, currency = { type = "string", pattern = "^[A-Z]{3}$" } } }

[[site.schema]]
event = "order_completed"
schema = { type = "object", required = ["sum"], properties = { sum = { type = "integer" } } }

[[site.schema]]
event = "click"
schema = '''
{"properties": {"campaign": {"enum": ["spring", "autumn"]}, "mail": {"format": "email"}}}
'''
"#;

fn shop() -> Arc<Site> {
    Sites::from_toml(SITES).unwrap().by_id("shop").unwrap()
}

/// What became of an event: its verdict or `rejected`, and code and field of each reason.
fn judged(json: &Value) -> (String, Vec<(String, String)>, Vec<String>) {
    let arrival = Arrival { received_at: Micros::now(), source: Source::Http, ip: None, user_agent: None, country: None, sent_at: None };
    let raw = parse_record(json.to_string().as_bytes(), Shape::Canonical).unwrap();
    let (fate, reasons) = match admit(&raw, &shop(), &arrival) {
        Outcome::Accepted(event, reasons) if event.verdict == Verdict::Valid => ("valid", reasons),
        Outcome::Accepted(_, reasons) => ("suspicious", reasons),
        Outcome::Rejected(rejection) => ("rejected", rejection.reasons),
    };
    let of_schema = reasons.iter().filter(|r| r.code.as_str() == "schema_violated");
    let named = of_schema.clone().map(|r| (r.code.as_str().to_owned(), r.field.clone().unwrap())).collect();
    (fate.to_owned(), named, of_schema.map(|r| r.message.clone()).collect())
}

fn order(properties: Value) -> Value {
    json!({ "action": "custom", "name": "order_completed", "event_id": "1", "user_id": "u", "device_type": "desktop", "properties": properties })
}

fn fields(named: &[(String, String)]) -> Vec<&str> {
    named.iter().map(|(_, field)| field.as_str()).collect()
}

#[test]
fn an_event_that_violates_its_schema_is_told_each_fault_by_its_pointer() {
    assert_eq!(judged(&order(json!({ "total": 1, "currency": "EUR" }))).0, "valid");
    let (fate, named, messages) = judged(&order(json!({ "total": "s3cret", "currency": "euro" })));
    assert_eq!(fate, "rejected");
    let mut told = fields(&named);
    told.sort_unstable();
    assert_eq!(told, ["/properties/currency", "/properties/total"]);
    assert!(
        messages.iter().all(|m| m.contains("order_completed, version 2") && !m.contains("s3cret") && !m.contains("euro")),
        "{messages:?}"
    );
    assert_eq!(fields(&judged(&order(json!({ "total": 1 }))).1), ["/properties"]);
    // What else is wrong is named beside it.
    let mut more = order(json!({}));
    more.as_object_mut().unwrap().remove("user_id");
    assert_eq!(judged(&more).0, "rejected");
    assert!(!judged(&more).1.is_empty());
}

#[test]
fn an_event_of_an_older_version_is_right_as_long_as_that_is_listed() {
    assert_eq!(judged(&order(json!({ "sum": 3 }))).0, "valid");
    let (fate, named, _) = judged(&order(json!({ "sum": "3" })));
    assert_eq!((fate.as_str(), fields(&named)), ("rejected", vec!["/properties", "/properties"]), "the newest version speaks");
}

#[test]
fn a_warning_keeps_the_event_and_other_events_have_no_schema() {
    let click = |properties: Value| json!({ "action": "click", "element_id": "e", "user_id": "u", "device_type": "desktop", "event_id": "1", "properties": properties });
    assert_eq!(judged(&click(json!({ "campaign": "spring" }))).0, "valid");
    let (fate, named, _) = judged(&click(json!({ "campaign": "summer", "mail": "nobody" })));
    assert_eq!((fate.as_str(), named.len()), ("suspicious", 2));
    let mut other = order(json!({ "total": "x" }));
    other["name"] = "click".into();
    assert_eq!(judged(&other).1, [], "a custom event of that name is no click");
    let view = json!({ "action": "view", "element_id": "e", "user_id": "u", "event_id": "1", "properties": { "campaign": "summer" } });
    assert_eq!(judged(&view).1, []);
}

#[test]
fn names_that_a_schema_describes_are_kept_past_the_cap() {
    let names = shop().property_names.clone().unwrap();
    assert!(!names.admit("anything"), "what is described takes the room");
    assert!(["total", "currency", "sum", "campaign", "mail"].iter().all(|name| names.admit(name)));
}

#[test]
fn a_wrong_schema_is_named_with_its_line() {
    let fault = |lines: &str| {
        let text = format!("[[site]]\nid = \"shop\"\nwrite_keys = [\"k\"]\n[[site.schema]]\n{lines}");
        Sites::from_toml(&text).unwrap_err().to_string()
    };
    for (lines, says) in [
        ("schema = {}", "line 4: [site.schema] has no event"),
        ("event = \"e\"", "line 4: [site.schema] has no schema"),
        ("event = \"\"\nschema = {}", "line 5: event of [site.schema]"),
        ("event = \"e\"\nschema = []", "line 6: schema of [site.schema] is wrong: wanted a JSON Schema"),
        ("event = \"e\"\nschema = \"{\"", "line 6: schema of [site.schema] is wrong: no JSON"),
        ("event = \"e\"\nschema = { type = \"nothing\" }", "line 6: schema of [site.schema] is wrong: no JSON Schema"),
        ("event = \"e\"\nschema = { pattern = \"(?=a)\" }", "no JSON Schema"),
        ("event = \"e\"\nschema = { \"$ref\" = \"https://example.com/s.json\" }", "no JSON Schema"),
        ("event = \"e\"\nschema = { const = 2026-01-01 }", "no dates"),
        ("event = \"e\"\nschema = {}\nversion = 0", "line 7: version"),
        ("event = \"e\"\nschema = {}\nviolation = \"ignore\"", "\"warn\" or \"reject\""),
        ("event = \"e\"\nschema = {}\ncolour = 1", "\"colour\""),
        (
            "event = \"e\"\nschema = {}\n[[site.schema]]\nschema = {}\nevent = \"e\"",
            "line 9: event of [site.schema] is wrong: \"e\" has a schema of version 1",
        ),
    ] {
        let told = fault(lines);
        assert!(told.contains(says), "{told}\nwanted {says}");
    }
}
