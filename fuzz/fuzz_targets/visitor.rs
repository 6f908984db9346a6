//! User agents, addresses, pages, times and ids: the input is lines, each a field of an event.
#![no_main]

use std::net::IpAddr;

use clickstream_event::{Arrival, RawEvent, Shape, Source, parse_time};
use clickstream_fuzz::{arrival, judge};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

const FIELDS: [&str; 12] =
    ["user_agent", "ip", "url", "referrer", "original_at", "sent_at", "device_type", "country", "path", "x", "event_id", "properties"];

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut fields: Map<String, Value> = [("action", "custom"), ("name", "n"), ("session_id", "s")]
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into_iter()
        .collect();
    let mut lines = text.split('\n');
    let ip: Option<IpAddr> = lines.next().and_then(|line| line.parse().ok());
    let agent = lines.next();
    for (name, line) in FIELDS.iter().zip(lines).filter(|(_, line)| !line.is_empty()) {
        let number = line.parse::<f64>().ok().filter(|n| n.is_finite());
        let value = if line.ends_with(' ') { number.map(Value::from) } else { None }.unwrap_or_else(|| line.into());
        if let Some(moment) = parse_time(&value) {
            let again = parse_time(&moment.to_string().into());
            assert_eq!(again, Some(moment), "a time that is written is read back");
        }
        fields.insert((*name).to_owned(), value);
    }
    let raw = RawEvent { shape: Shape::Canonical, fields, text: None };
    for source in [Source::Http, Source::File] {
        judge(&raw, &Arrival { ip, user_agent: agent, country: None, ..arrival(source) });
    }
});
