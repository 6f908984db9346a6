//! An event in the address of an image, for where no script runs: mails, pages without JavaScript.
//!
//! `?data=` holds the event as JSON in Base64, as Segment's pixel does; else each parameter is a field, with dots
//! between the names of nested ones (`properties.element_id=buy`).

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use clickstream_event::{BodyError, MAX_DEPTH};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

use crate::{answer::Fate, error::CollectError};

/// One transparent pixel.
const GIF: [u8; 43] = *b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00\
    ,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";
/// Why the event of an image does not count; the image itself is whole.
const PROBLEM: HeaderName = HeaderName::from_static("x-clickstream-problem");
/// Longest problem in a header, bytes.
const LONGEST_PROBLEM: usize = 300;
/// Parameters that are no fields of the event.
const BESIDE: [&str; 3] = ["compression", "format", "writeKey"];

/// Base64 of addresses, with or without its padding.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::URL_SAFE, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// The event in the parameters, as JSON.
pub fn event(query: &str) -> Result<Vec<u8>, CollectError> {
    let mut fields = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "data" => return decoded(&value),
            name if BESIDE.contains(&name) => {}
            name => put(&mut fields, name, value.into_owned())?,
        }
    }
    Ok(serde_json::to_vec(&fields)?)
}

/// Either alphabet is read; a `+` that was not escaped has become a space.
fn decoded(data: &str) -> Result<Vec<u8>, CollectError> {
    let one_alphabet = data.replace('/', "_").replace(['+', ' '], "-");
    BASE64.decode(one_alphabet).map_err(|error| CollectError::Pixel(format!("data is no Base64: {error}")))
}

fn put(fields: &mut Map<String, Value>, name: &str, value: String) -> Result<(), CollectError> {
    let mut steps: Vec<&str> = name.split('.').collect();
    if steps.len() > MAX_DEPTH {
        return Err(BodyError::TooDeep(MAX_DEPTH).into());
    }
    let last = steps.pop().unwrap_or_default();
    let mut at = fields;
    for step in steps {
        let below = at.entry(step).or_insert_with(|| Value::Object(Map::new()));
        at = below.as_object_mut().ok_or_else(|| twice(name))?;
    }
    match at.insert(last.to_owned(), Value::String(value)) {
        None => Ok(()),
        Some(_) => Err(twice(name)),
    }
}

fn twice(name: &str) -> CollectError {
    let name: String = name.chars().take(80).collect();
    CollectError::Pixel(format!("the parameter {name:?} gives a field a second value: give it once"))
}

/// True if the answer is to be an image: always for a browser; not with `?format=204`, or for who accepts no image.
pub fn wants_image(headers: &HeaderMap, format: Option<&str>) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    let images = accepted.peek().is_none() || accepted.any(|value| value.contains("image/") || value.contains("*/*"));
    images && format != Some("204")
}

/// The answer that an event was taken, or why it was not.
pub fn answer(image: bool, fates: &[Fate]) -> Response<Bytes> {
    let rejected = fates.iter().find(|fate| fate.result == "rejected").and_then(|fate| fate.reasons.first());
    respond(image, rejected.map(|reason| format!("{}: {}", reason.code.as_str(), reason.message)))
}

/// The image in place of the problem that `error` is: pages show it all the same. Its status is the problem's only where
/// the same request may be sent again.
pub fn refusal(error: &CollectError) -> Response<Bytes> {
    let problem = error.response();
    let mut response = respond(true, Some(format!("{}: {error}", error.code())));
    let after = problem.headers().get(header::RETRY_AFTER);
    if after.is_some() || problem.status().is_server_error() {
        *response.status_mut() = problem.status();
    }
    if let Some(after) = after {
        response.headers_mut().insert(header::RETRY_AFTER, after.clone());
    }
    response
}

fn respond(image: bool, problem: Option<String>) -> Response<Bytes> {
    let mut response = Response::new(if image { Bytes::from_static(&GIF) } else { Bytes::new() });
    let headers = response.headers_mut();
    if image {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/gif"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Pages that isolate themselves show only what says that it may be shown.
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    if let Some(value) = problem.and_then(|problem| HeaderValue::try_from(printable(&problem)).ok()) {
        headers.insert(PROBLEM, value);
    }
    if !image {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

/// What a header may hold of a text.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(LONGEST_PROBLEM).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(query: &str) -> Value {
        serde_json::from_slice(&event(query).unwrap()).unwrap()
    }

    fn says(query: &str) -> String {
        event(query).unwrap_err().to_string()
    }

    #[test]
    fn dots_nest_and_what_is_no_field_is_left_out() {
        let query = "writeKey=k&event=element_clicked&anonymousId=a+b&properties.element_id=buy%2Fnow&properties.x=1&format=204";
        let fields = json!({ "event": "element_clicked", "anonymousId": "a b", "properties": { "element_id": "buy/now", "x": "1" } });
        assert_eq!(read(query), fields);
        assert_eq!(read(""), json!({}));
    }

    #[test]
    fn both_alphabets_of_base64_are_read_with_and_without_padding() {
        let json = json!({ "event": "ÿ?>~ÿ>>>???" });
        let text = json.to_string();
        let standard = base64::engine::general_purpose::STANDARD.encode(&text);
        let bare = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&text);
        assert!(standard.contains(['+', '/']) && bare.contains(['-', '_']), "{standard} {bare}");
        for data in [standard.clone(), standard.replace('+', "%2B").replace('/', "%2F"), bare] {
            assert_eq!(read(&format!("writeKey=k&data={data}&_=1")), json, "{data}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said() {
        assert!(says("data=%25").contains("no Base64"));
        assert!(says("a=1&a=2").contains("\"a\""));
        assert!(says("a=1&a.b=2").contains("\"a.b\""));
        assert!(says("a.b=1&a=2").contains("\"a\""));
        assert!(says(&format!("{}=1", ["a"; 1_000].join("."))).contains("deeper"));
    }

    #[test]
    fn an_image_is_for_who_can_show_one() {
        let wants = |accept: &str, format: Option<&str>| {
            wants_image(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_str(accept).unwrap())]), format)
        };
        assert!(wants("image/avif,image/webp,*/*;q=0.8", None) && wants("*/*", None) && wants_image(&HeaderMap::new(), None));
        assert!(!wants("application/json", None) && !wants("*/*", Some("204")));
    }

    #[test]
    fn a_problem_fits_into_a_header() {
        let response = refusal(&CollectError::Origin("https://ü.example\r\nSet-Cookie: a=b".to_owned()));
        let problem = response.headers()[&PROBLEM].to_str().unwrap();
        assert!(problem.starts_with("origin_refused: ") && problem.contains("https://?.example??Set-Cookie"), "{problem}");
        assert_eq!((response.status(), response.body().len()), (StatusCode::OK, 43));
    }
}
