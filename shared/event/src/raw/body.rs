//! JSON bodies and single records.

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{BodyError, MAX_DEPTH, RawEvent, Shape, depth::deeper_than};

/// Largest event, bytes of JSON.
pub const MAX_EVENT_BYTES: usize = 32 * 1024;
/// Deepest nesting of a body. Within it an event that is nested too deep is rejected alone.
const MAX_BODY_DEPTH: usize = 2 * MAX_DEPTH;

/// What a body holds.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// The events in the order sent; one that is no object, too large or too deep, stands as its text and is rejected alone.
    pub events: Vec<Result<RawEvent, String>>,
    /// `sentAt` of the batch.
    pub sent_at: Option<String>,
    /// `writeKey` in the body.
    pub write_key: Option<String>,
}

/// A batch object: what stands beside its events.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    batch: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    events: Option<Vec<&'a RawValue>>,
    #[serde(rename = "sentAt", alias = "sent_at")]
    sent_at: Option<Value>,
    #[serde(rename = "writeKey", alias = "write_key")]
    write_key: Option<Value>,
    context: Option<Map<String, Value>>,
}

/// Decodes a JSON body of `shape`: one event, an array of events, or a batch object.
///
/// `implied_type` is Segment's type where the path names it; `batch` requires a batch object.
pub fn parse_body(bytes: &[u8], shape: Shape, implied_type: Option<&str>, max_events: usize) -> Result<Body, BodyError> {
    let text = utf8(bytes)?;
    let deep = deeper_than(bytes, MAX_DEPTH);
    if deep && deeper_than(bytes, MAX_BODY_DEPTH) {
        return Err(BodyError::TooDeep(MAX_BODY_DEPTH));
    }
    let alone = Decoding { shape, implied_type, context: None, deep };
    let first = text.trim_start().bytes().next();
    if first == Some(b'[') {
        if shape == Shape::Segment {
            return Err(BodyError::WrongShape("the body is an array: send an object, with the events in its array \"batch\"".into()));
        }
        let events: Vec<&RawValue> = parse(text)?;
        return Ok(Body { events: alone.all(&events, max_events)?, ..Body::default() });
    }
    if first != Some(b'{') {
        parse::<&RawValue>(text)?;
        return Err(BodyError::WrongShape("the body is neither a JSON object nor an array of objects".into()));
    }
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|e| not_json(text, &e))?;
    let sent_at = envelope.sent_at.as_ref().and_then(scalar);
    let write_key = envelope.write_key.as_ref().and_then(|v| v.as_str().map(str::to_owned));
    let several = match shape {
        Shape::Segment => envelope.batch,
        Shape::Canonical | Shape::Clicks => envelope.events.or(envelope.batch),
    };
    let events = match several {
        Some(events) => {
            let implied_type = implied_type.filter(|t| *t != "batch");
            Decoding { implied_type, context: envelope.context.as_ref(), ..alone }.all(&events, max_events)?
        }
        None if implied_type == Some("batch") => {
            return Err(BodyError::WrongShape("the body has no array \"batch\" of events".into()));
        }
        None => vec![alone.one(text.trim())],
    };
    Ok(Body { events, sent_at, write_key })
}

/// Decodes one JSON object, as on a topic or a line of a file; its names tell its shape, else it is of `default`.
pub fn parse_record(bytes: &[u8], default: Shape) -> Result<RawEvent, BodyError> {
    let text = utf8(bytes)?.trim();
    if deeper_than(bytes, MAX_DEPTH) {
        return Err(BodyError::TooDeep(MAX_DEPTH));
    }
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => {
            let shape = Shape::detect(&fields).unwrap_or(default);
            Ok(RawEvent { shape, fields, text: Some(text.into()) })
        }
        Ok(_) => Err(BodyError::WrongShape("the record is JSON, but no object".into())),
        Err(error) => Err(BodyError::NotJson(error.to_string())),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, BodyError> {
    std::str::from_utf8(bytes).map_err(|e| BodyError::NotUtf8(e.valid_up_to()))
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, BodyError> {
    serde_json::from_str(text).map_err(|e| not_json(text, &e))
}

/// JSON that is well formed but has a wrong type inside is told apart from what is no JSON.
fn not_json(text: &str, error: &serde_json::Error) -> BodyError {
    if error.is_data() && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        BodyError::WrongShape(format!("the body has a wrong type: {error}"))
    } else {
        BodyError::NotJson(error.to_string())
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// How the events of a body are decoded.
struct Decoding<'a> {
    shape: Shape,
    implied_type: Option<&'a str>,
    /// What the batch says of its events; it fills what an event's own context does not say.
    context: Option<&'a Map<String, Value>>,
    /// The body is nested deeper than one event may be, so that each is looked at.
    deep: bool,
}

impl Decoding<'_> {
    fn all(&self, events: &[&RawValue], max_events: usize) -> Result<Vec<Result<RawEvent, String>>, BodyError> {
        if events.len() > max_events {
            return Err(BodyError::TooMany(events.len(), max_events));
        }
        Ok(events.iter().map(|raw| self.one(raw.get())).collect())
    }

    fn one(&self, text: &str) -> Result<RawEvent, String> {
        if text.len() > MAX_EVENT_BYTES || (self.deep && deeper_than(text.as_bytes(), MAX_DEPTH)) {
            return Err(text.to_owned());
        }
        let Ok(Value::Object(mut fields)) = serde_json::from_str::<Value>(text) else { return Err(text.to_owned()) };
        if self.shape == Shape::Segment {
            if let Some(kind) = self.implied_type {
                fields.entry("type").or_insert_with(|| kind.into());
            }
            if let Some(context) = self.context
                && let Some(own) = fields.entry("context").or_insert_with(|| Value::Object(Map::new())).as_object_mut()
            {
                for (name, value) in context {
                    own.entry(name.as_str()).or_insert_with(|| value.clone());
                }
            }
        }
        Ok(RawEvent { shape: self.shape, fields, text: Some(text.into()) })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_batch_brings_its_key_and_time_to_its_events() {
        let body = br#"{"writeKey":"k","sentAt":"2026-11-24T00:00:00Z","context":{"locale":"ru"},"batch":[{"type":"track"},7]}"#;
        let body = parse_body(body, Shape::Segment, Some("batch"), 500).unwrap();
        assert_eq!(body.write_key.as_deref(), Some("k"));
        assert_eq!(body.sent_at.as_deref(), Some("2026-11-24T00:00:00Z"));
        assert_eq!(body.events[0].as_ref().unwrap().fields["context"]["locale"], "ru");
        assert_eq!(body.events[1].as_ref().unwrap_err(), "7");
    }

    #[test]
    fn what_is_wrong_with_a_body_is_said() {
        let says = |body: &[u8]| parse_body(body, Shape::Canonical, None, 2).unwrap_err();
        assert_eq!(says(b"{\"a\":\"\xff\"}"), BodyError::NotUtf8(6));
        assert!(matches!(says(b"{\"a\":"), BodyError::NotJson(_)));
        assert!(matches!(says(b""), BodyError::NotJson(_)));
        assert!(matches!(says(b"7"), BodyError::WrongShape(_)));
        assert!(matches!(says(br#"{"events":7}"#), BodyError::WrongShape(_)));
        assert_eq!(says(b"[1,2,3]"), BodyError::TooMany(3, 2));
        assert_eq!(says("[".repeat(100_000).as_bytes()), BodyError::TooDeep(MAX_BODY_DEPTH));
    }

    #[test]
    fn an_event_over_its_limits_is_rejected_alone() {
        let sized = |size: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(size - 8));
        let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        let events =
            [sized(MAX_EVENT_BYTES), sized(MAX_EVENT_BYTES + 1), nested(MAX_DEPTH), nested(MAX_DEPTH + 1), "{}".to_owned()].join(",");
        for (body, shape) in [(format!("[{events}]"), Shape::Canonical), (format!("{{\"batch\":[{events}]}}"), Shape::Segment)] {
            let body = parse_body(body.as_bytes(), shape, None, 500);
            let taken: Vec<bool> = body.unwrap().events.iter().map(Result::is_ok).collect();
            assert_eq!(taken, [true, false, true, false, true]);
        }
    }

    #[test]
    fn a_record_tells_its_own_shape() {
        let shape = |json: &str| parse_record(json.as_bytes(), Shape::Segment).unwrap().shape;
        assert_eq!(shape(r#"{"event_id":"1"}"#), Shape::Canonical);
        assert_eq!(shape(r#"{"id":"1","createdAt":"x"}"#), Shape::Clicks);
        assert_eq!(shape(r#"{"type":"track"}"#), Shape::Segment);
    }
}
