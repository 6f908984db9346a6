//! Every event of a body judged, in the order sent.

use clickstream_event::{Arrival, Event, Outcome, RawEvent, Rejection, Shape, Site, Verdict, admit, reject_undecodable};
use clickstream_telemetry::metric;
use serde_json::{Map, Value};

use crate::answer::Fate;

/// What a request's events became.
#[derive(Debug, Default)]
pub struct Judged {
    /// One for each event, in the order sent.
    pub fates: Vec<Fate>,
    /// What is kept.
    pub events: Vec<Event>,
    /// What is kept as a rejection.
    pub rejections: Vec<Rejection>,
}

/// Judges events; one that is no object, or too large, stands as its text.
pub fn judge(events: Vec<Result<RawEvent, String>>, shape: Shape, site: &Site, arrival: &Arrival<'_>) -> Judged {
    let mut judged = Judged { fates: Vec::with_capacity(events.len()), events: Vec::with_capacity(events.len()), ..Judged::default() };
    for event in events {
        match event {
            Ok(mut raw) => {
                without_key(&mut raw.fields);
                judged.admitted(&raw, site, arrival);
            }
            Err(text) => {
                let mut rejection = reject_undecodable(&text, shape, Some(&site.site_id), arrival, &why(&text));
                if !site.keeps_originals() {
                    rejection.original.clear();
                }
                judged.refuse(None, rejection);
            }
        }
    }
    judged
}

impl Judged {
    fn admitted(&mut self, raw: &RawEvent, site: &Site, arrival: &Arrival<'_>) {
        let message_id = message_id(raw);
        match admit(raw, site, arrival) {
            Outcome::Accepted(event, reasons) => {
                self.fates.push(Fate { message_id, event_id: Some(event.event_id), result: Fate::of(event.verdict), reasons });
                self.events.push(*event);
            }
            Outcome::Rejected(mut rejection) => {
                if site.keeps_originals()
                    && let Some(told) = told(raw, arrival)
                {
                    rejection.original = told;
                }
                self.refuse(message_id, *rejection);
            }
        }
    }

    fn refuse(&mut self, message_id: Option<String>, rejection: Rejection) {
        self.fates.push(Fate { message_id, event_id: rejection.event_id, result: "rejected", reasons: rejection.reasons.clone() });
        self.rejections.push(rejection);
    }

    /// Counts what was taken.
    pub fn count(&self) {
        let suspicious = self.events.iter().filter(|e| e.verdict == Verdict::Suspicious).count();
        let counts = [("valid", self.events.len() - suspicious), ("suspicious", suspicious), ("rejected", self.rejections.len())];
        for (verdict, count) in counts {
            if count > 0 {
                metrics::counter!(metric::EVENTS, "source" => "http", "verdict" => verdict).increment(count as u64);
            }
        }
        metrics::histogram!(metric::REQUEST_EVENTS, "function" => "collect").record(self.fates.len() as f64);
    }
}

/// Why a text within a body is no event.
fn why(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Err(error) => format!("wanted a JSON object for each event: {error}"),
        Ok(_) => "wanted a JSON object for each event".to_owned(),
    }
}

/// The key says who may write, nothing of the event; it is kept nowhere.
fn without_key(fields: &mut Map<String, Value>) {
    fields.remove("writeKey");
    fields.remove("write_key");
}

/// A Segment event together with what its path and its batch say of it (`type`, `context`, `sentAt`), so that a replay
/// reads the same event; none where it says all that itself.
fn told(raw: &RawEvent, arrival: &Arrival<'_>) -> Option<String> {
    if raw.shape != Shape::Segment {
        return None;
    }
    let mut fields = raw.fields.clone();
    if let Some(sent_at) = arrival.sent_at {
        fields.entry("sentAt").or_insert_with(|| sent_at.into());
    }
    let mut sent: Map<String, Value> = serde_json::from_str(raw.text.as_deref()?).ok()?;
    without_key(&mut sent);
    if sent == fields { None } else { serde_json::to_string(&fields).ok() }
}

/// The client's own id in whichever spelling.
fn message_id(raw: &RawEvent) -> Option<String> {
    let name = match raw.shape {
        Shape::Segment => "messageId",
        Shape::Canonical => "event_id",
        Shape::Clicks => "id",
    };
    match raw.fields.get(name)? {
        Value::String(text) => Some(text.chars().take(500).collect()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clickstream_event::{Micros, Source, parse_body, parse_record};

    use super::*;

    fn arrival() -> Arrival<'static> {
        Arrival {
            received_at: Micros::now(),
            source: Source::Http,
            ip: None,
            user_agent: None,
            country: None,
            sent_at: Some("2026-11-24T00:00:00Z"),
        }
    }

    #[test]
    fn a_rejected_event_keeps_what_its_path_and_batch_said() {
        let body = parse_body(br#"{"event":"e","messageId":"1"}"#, Shape::Segment, Some("track"), 500).unwrap();
        let judged = judge(body.events, Shape::Segment, &Site::new("shop", "k"), &arrival());
        assert_eq!(judged.fates[0].result, "rejected");
        let again = parse_record(judged.rejections[0].original.as_bytes(), Shape::Segment).unwrap();
        assert_eq!(again.fields["type"], "track");
        assert_eq!(again.fields["sentAt"], "2026-11-24T00:00:00Z");
    }

    #[test]
    fn an_event_with_half_a_character_is_rejected_alone() {
        let body =
            parse_body(br#"[{"action":"\ud800"},{"action":"custom","name":"n","user_id":"u"}]"#, Shape::Canonical, None, 500).unwrap();
        let judged = judge(body.events, Shape::Canonical, &Site::new("shop", "k"), &arrival());
        assert_eq!((judged.events.len(), judged.rejections.len()), (1, 1));
        assert!(judged.fates[0].reasons[0].message.contains("escape"), "{}", judged.fates[0].reasons[0].message);
    }

    #[test]
    fn the_write_key_is_no_property_of_an_event() {
        let body =
            parse_body(br#"[{"write_key":"k","writeKey":"k","action":"custom","name":"n","user_id":"u"}]"#, Shape::Canonical, None, 500)
                .unwrap();
        let judged = judge(body.events, Shape::Canonical, &Site::new("shop", "k"), &arrival());
        assert_eq!(judged.events[0].properties.as_str(), "{}");
    }
}
