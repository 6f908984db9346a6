//! What stands before a body: keys, forwarded addresses, query parameters, statements to ClickHouse. The input is lines:
//! an address with a query, then header values.
#![no_main]

#[path = "../../shared/warehouse/src/embedded/blocks.rs"]
#[allow(dead_code)]
mod blocks;
#[path = "../../functions/query/src/parameters.rs"]
#[allow(dead_code)]
mod parameters;
#[path = "../../shared/warehouse/src/embedded/request.rs"]
#[allow(dead_code)]
mod request;
#[path = "../../functions/collect/src/sender.rs"]
mod sender;

extern crate self as clickstream_warehouse;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use libfuzzer_sys::fuzz_target;
use parameters::Parameters;
use request::Request;

/// A day, as the warehouse counts it.
pub type Day = jiff::civil::Date;

/// The refusal that parameters can meet.
pub enum QueryError {
    #[allow(missing_docs)]
    Parameter { name: &'static str, right: String },
}

/// The names of the warehouse that need no quoting.
mod config {
    pub fn is_identifier(name: &str) -> bool {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    }
}

const HEADERS: [&str; 6] =
    ["authorization", "x-forwarded-for", "cf-ipcountry", "x-clickhouse-database", "x-clickhouse-format", "content-encoding"];

fuzz_target!(|data: &[u8]| {
    let mut lines = data.split(|b| *b == b'\n');
    let address = lines.next().unwrap_or_default();
    let mut headers = HeaderMap::new();
    for (name, value) in HEADERS.iter().zip(&mut lines) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let uri: Option<Uri> = std::str::from_utf8(address).ok().and_then(|text| text.parse().ok());
    let query = uri.as_ref().and_then(Uri::query);
    sent(&headers, query);
    asked(&Parameters::of(query));
    let rest = lines.fold(Vec::new(), |rest, line| [rest, line.to_vec()].join(&b'\n'));
    ordered(query.unwrap_or_default(), &headers, &rest);
});

fn sent(headers: &HeaderMap, query: Option<&str>) {
    if let Some(key) = sender::outer_key(headers, query) {
        assert!(!key.is_empty(), "no key is an empty one");
    }
    let trusted = ["10.0.0.0/8".parse().expect("a network"), "fd00::/8".parse().expect("a network")];
    let peer = "10.0.0.1".parse().ok();
    assert_eq!(sender::visitor(headers, peer, &[]).ip, peer, "no header is believed of a stranger");
    assert!(sender::is_trusted(peer, &trusted) && !sender::is_trusted(peer, &[]));
    let visitor = sender::visitor(headers, peer, &trusted);
    assert!(visitor.ip.is_some());
    assert!(visitor.country.is_none_or(|c| c.len() == 2));
    let map = serde_json::Map::new();
    assert_eq!(sender::key_in(&map), None);
}

fn asked(parameters: &Parameters) {
    let says = |error: QueryError| {
        let QueryError::Parameter { name, right } = error;
        assert!(!name.is_empty() && !right.is_empty(), "an error says what would be right");
    };
    if let Err(error) = parameters.site() {
        says(error);
    }
    match parameters.limit(50, 500) {
        Ok(limit) => assert!((1..=500).contains(&limit)),
        Err(error) => says(error),
    }
    match parameters.day("from") {
        Ok(day) => assert!(day.to_string().len() == 10 || parameters.get("from").is_none()),
        Err(error) => says(error),
    }
}

fn ordered(query: &str, headers: &HeaderMap, body: &[u8]) {
    let Ok(mut request) = Request::parse(query, headers) else { return };
    assert!(request.settings.iter().all(|(name, _)| config::is_identifier(name)), "a setting is a name");
    let _ = request.take_form("multipart/form-data; boundary=b", body);
    if let Ok(content_type) = std::str::from_utf8(body) {
        let _ = request.take_form(content_type, body);
        request.statement.push_str(content_type);
    }
    assert!(!(request.is_insert() && request.is_stream()), "a statement reads or writes");
    let _ = request::refuse_what_would_be_lost(&request.statement);
    if let Some((before, format)) = request::split_format(&request.statement) {
        assert!(request.statement.starts_with(before) && format.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}
