//! Bodies of collect: the first byte chooses the path, the rest is the body as JSON.
#![no_main]

#[path = "../../functions/collect/src/answer.rs"]
mod answer;
#[path = "../../functions/collect/src/judge.rs"]
mod judge;
#[allow(dead_code)]
#[path = "../../functions/collect/src/route.rs"]
mod route;

extern crate self as clickstream_telemetry;

use clickstream_event::{Arrival, BodyError, Shape, Source, parse_body};
use clickstream_fuzz::{accepted, arrival, rejected, site};
use http::HeaderMap;
use libfuzzer_sys::fuzz_target;
use route::Route;
use serde_json::Value;

/// The metrics that judging counts; nothing collects them here.
#[allow(missing_docs)]
pub mod metric {
    pub const EVENTS: &str = "events";
    pub const REQUEST_EVENTS: &str = "request_events";
}

const PATHS: [&str; 9] =
    ["/v1/batch", "/v1/track", "/v1/page", "/v1/screen", "/v1/identify", "/v1/group", "/v1/alias", "/v1/events", "/clicks"];
const MOST_EVENTS: usize = 50;

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let Some(Route::Events(events)) = route::route(PATHS[usize::from(*choice) % PATHS.len()]) else { panic!("every path takes events") };
    let body = match parse_body(bytes, events.shape, events.implied, MOST_EVENTS) {
        Ok(body) => body,
        Err(error) => return refused(bytes, &error),
    };
    let sent = body.events.clone();
    if let Some(count) = elements(bytes, events.shape) {
        assert_eq!(sent.len(), count, "every element of a body is an event");
    }
    let arrival = Arrival { sent_at: body.sent_at.as_deref(), ..arrival(Source::Http) };
    let judged = judge::judge(body.events, events.shape, &site(), &arrival);
    judged.count();
    assert_eq!(judged.fates.len(), sent.len(), "every event has its fate");
    assert_eq!(judged.events.len() + judged.rejections.len(), sent.len(), "every event is kept one way or the other");
    judged.events.iter().for_each(accepted);
    judged.rejections.iter().for_each(rejected);
    let mut rejections = judged.rejections.iter();
    for (fate, sent) in judged.fates.iter().zip(&sent).filter(|(fate, _)| fate.result == "rejected") {
        let rejection = rejections.next().expect("a rejected fate has its rejection");
        assert_eq!(fate.event_id, rejection.event_id);
        match sent {
            Ok(raw) => keeps(&rejection.original, raw.text.as_deref().unwrap_or_default()),
            Err(text) => assert_eq!(&rejection.original, text, "a rejection keeps what was sent"),
        }
    }
    let answer = answer::answer(&HeaderMap::new(), &judged.fates).expect("fates are JSON");
    let answer: Value = serde_json::from_slice(answer.body()).expect("an answer is JSON");
    assert_eq!(answer["results"].as_array().map(Vec::len), Some(sent.len()));
});

/// A refused body is wrong as a whole, and the message about it stays short.
fn refused(bytes: &[u8], error: &BodyError) {
    assert!(error.to_string().len() < 1_000, "{error}");
    if matches!(error, BodyError::NotJson(_)) {
        assert!(serde_json::from_slice::<Value>(bytes).is_err(), "what is JSON was called none: {error}");
    }
}

/// How many events a body holds by another reading of it.
fn elements(bytes: &[u8], shape: Shape) -> Option<usize> {
    match serde_json::from_slice(bytes).ok()? {
        Value::Array(events) => Some(events.len()),
        Value::Object(body) => {
            let named = |name: &str| body.get(name).and_then(Value::as_array).map(Vec::len);
            let several = if shape == Shape::Segment { named("batch") } else { named("events").or_else(|| named("batch")) };
            Some(several.unwrap_or(1))
        }
        _ => None,
    }
}

/// An original holds every field that was sent; of Segment's, what path and batch said stands beside them.
fn keeps(original: &str, sent: &str) {
    if original == sent {
        return;
    }
    let fields = |text: &str| serde_json::from_str::<serde_json::Map<String, Value>>(text).expect("an event is an object");
    let kept = fields(original);
    for (name, value) in fields(sent) {
        match (name.as_str(), kept.get(&name)) {
            ("writeKey" | "write_key", kept) => assert!(kept.is_none(), "keys are kept nowhere"),
            // The batch fills its context.
            ("context", kept) => assert_eq!(kept.is_some_and(Value::is_object), value.is_object(), "{name} is kept"),
            (_, kept) => assert_eq!(kept, Some(&value), "{name} is kept"),
        }
    }
}
