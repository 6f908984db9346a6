//! Requests made ahead: only what must be new in each one is written when it is sent.

use bytes::Bytes;
use clickstream_event::Micros;
use clickstream_testkit::traffic::{Traffic, TrafficEvent, TrafficOptions};
use uuid::{Builder, Uuid};

/// Events made ahead, about; what takes turns differs, so that columns and indexes do not compress unduly well.
const AHEAD: u64 = 20_000;
/// The site and its key.
pub const SITE: &str = "demo";

/// Bodies of requests in Segment's shape, used in turn.
pub struct Batches(Vec<Template>);

/// A body with the places of what is written anew.
struct Template {
    body: Vec<u8>,
    /// Message ids, 36 bytes each.
    ids: Vec<usize>,
    /// Moments, 27 bytes each (`2026-11-24T08:00:00.000000Z`).
    moments: Vec<usize>,
    /// Parts of visitors' and sessions' names, 4 bytes each: another turn is other people.
    turns: Vec<usize>,
}

/// A request's body and the id of one of its events.
pub struct Request {
    /// The body.
    pub body: Bytes,
    /// The id of its first event.
    pub first: Uuid,
}

impl Batches {
    /// Bodies of `size` events each, of visitors that are no bots: reports count those alone.
    pub fn of(size: u64) -> Self {
        let options = TrafficOptions { seed: 1, sites: vec![SITE.to_owned()], start: Micros::now(), step: 0 };
        let mut traffic = Traffic::new(options);
        let mut people = std::iter::from_fn(move || Some(traffic.next_event())).filter(is_person);
        let batches = AHEAD.div_ceil(size);
        Self((0..batches).map(|_| Template::of(people.by_ref().take(size as usize))).collect())
    }

    /// The `n`-th request, with new ids and the time of now.
    pub fn request(&self, n: u64) -> Request {
        let turns = self.0.len() as u64;
        self.0[(n % turns) as usize].filled(n / turns)
    }

    /// Mean size of an event within its request, bytes.
    pub fn event_bytes(&self) -> u64 {
        let events: usize = self.0.iter().map(|t| t.ids.len()).sum();
        (self.0.iter().map(|t| t.body.len()).sum::<usize>() / events.max(1)) as u64
    }
}

fn is_person(event: &TrafficEvent) -> bool {
    !event.to_segment()["context"]["userAgent"].as_str().is_some_and(|agent| agent.contains("bot"))
}

impl Template {
    fn of(events: impl Iterator<Item = TrafficEvent>) -> Self {
        let mut template = Self { body: br#"{"sentAt":""#.to_vec(), ids: Vec::new(), moments: Vec::new(), turns: Vec::new() };
        template.moments.push(template.body.len());
        template.body.extend(Micros::now().to_string().bytes());
        template.body.extend(br#"","batch":["#);
        for (n, event) in events.enumerate() {
            if n > 0 {
                template.body.push(b',');
            }
            template.push(&event);
        }
        template.body.extend(b"]}");
        template
    }

    fn push(&mut self, event: &TrafficEvent) {
        let text = event.to_segment().to_string();
        let places = |what: &str| text.match_indices(what).map(|(at, _)| self.body.len() + at).collect::<Vec<_>>();
        self.ids.extend(places(&event.message_id.to_string()));
        self.moments.extend(places(&event.at.to_string()));
        // Past the `a-` of a visitor's name.
        self.turns.extend(places(&event.anonymous_id).iter().map(|at| at + 2));
        self.turns.extend(places(&event.session_id));
        self.body.extend(text.bytes());
    }

    fn filled(&self, turn: u64) -> Request {
        let mut body = self.body.clone();
        let mut first = None;
        for at in &self.ids {
            let id = Builder::from_random_bytes(rand::random()).into_uuid();
            first.get_or_insert(id);
            id.hyphenated().encode_lower(&mut body[*at..at + 36]);
        }
        let moment = Micros::now().to_string();
        for at in &self.moments {
            body[*at..at + moment.len()].copy_from_slice(moment.as_bytes());
        }
        let turn = format!("{:04x}", turn % 0x1_0000);
        for at in &self.turns {
            body[*at..at + 4].copy_from_slice(turn.as_bytes());
        }
        Request { body: body.into(), first: first.unwrap_or_default() }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn every_request_has_new_ids_and_every_turn_new_people() {
        let batches = Batches::of(20);
        let turns = batches.0.len() as u64;
        let mut ids = HashSet::new();
        let mut people = HashSet::new();
        for n in [0, 1, turns, turns + 1] {
            let request = batches.request(n);
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let events = body["batch"].as_array().unwrap();
            assert_eq!(events.len(), 20);
            assert_eq!(events[0]["messageId"], request.first.to_string());
            for event in events {
                assert!(ids.insert(event["messageId"].to_string()));
                assert_eq!(event["timestamp"], body["sentAt"]);
                people.insert((n / turns, event["anonymousId"].to_string()));
            }
        }
        let names: HashSet<&String> = people.iter().map(|(_, name)| name).collect();
        assert_eq!(names.len(), people.len());
        assert!((400..1_200).contains(&batches.event_bytes()), "{}", batches.event_bytes());
    }
}
