//! What clients send: by the seed, with repeats of what others sent before, and with what is to be rejected.

use clickstream_event::Micros;
use rand::{RngExt as _, SeedableRng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    columns::Identity,
    plan::Plan,
    world::{LATER_VALID, SITES},
};

/// Visitors, and the users that they log in as; one is two users' device, and one logs in never.
const VISITORS: [(&str, &[&str]); 4] =
    [("visitor-1", &["user-1"]), ("visitor-2", &["user-2"]), ("visitor-3", &["user-1", "user-2"]), ("visitor-4", &[])];

/// Somebody by one of their ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Person {
    User(&'static str),
    Visitor(&'static str),
}

impl Person {
    /// Anybody.
    pub fn any(random: &mut ChaCha8Rng) -> Self {
        if random.random_bool(0.6) {
            Self::User(if random.random_bool(0.5) { "user-1" } else { "user-2" })
        } else {
            Self::Visitor(VISITORS[random.random_range(0..VISITORS.len())].0)
        }
    }
}

/// Who an event says it is of.
#[derive(Clone, Debug)]
pub struct Sender {
    pub site: &'static str,
    pub user: Option<String>,
    pub anonymous: Option<String>,
}

/// One request, and what it names.
#[derive(Clone, Debug)]
pub struct Request {
    pub site: &'static str,
    pub body: Value,
    /// Message ids in order; none for an element that is no event at all.
    pub ids: Vec<Option<Uuid>>,
    /// Those of events that the sites of today refuse, and those of later do not.
    pub later_valid: Vec<Uuid>,
}

impl Request {
    pub fn identities(&self) -> impl Iterator<Item = Identity> {
        self.ids.iter().flatten().map(|id| (self.site.to_owned(), *id))
    }

    /// Who sent what, by its message id: user and visitor.
    pub fn senders(&self) -> impl Iterator<Item = (Uuid, Sender)> {
        let text = |event: &Value, name: &str| event[name].as_str().map(str::to_owned);
        let batch = self.body["batch"].as_array().into_iter().flatten();
        self.ids.iter().zip(batch).filter_map(move |(id, event)| {
            let sender = Sender { site: self.site, user: text(event, "userId"), anonymous: text(event, "anonymousId") };
            id.map(|id| (id, sender))
        })
    }

    pub fn later_valid(&self) -> impl Iterator<Item = Identity> {
        self.later_valid.iter().map(|id| (self.site.to_owned(), *id))
    }
}

/// Site, message id and body of what is sent.
type Sent = (usize, Option<Uuid>, Value);

/// The requests of each client.
///
/// Times lie in whole hours of the same day, yesterday or three days ago, so that which hours and days touch which does not
/// hang on when the seed is run.
pub fn requests(seed: u64, plan: &Plan) -> Vec<Vec<Request>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x7aff_1c00);
    let today = Micros(Micros::now().0.div_euclid(Micros::DAY) * Micros::DAY);
    let times =
        Times { noon: today.plus(Micros::DAY / 2 - Micros::DAY * if plan.old { 3 } else { 1 }), given: if plan.old { 0.95 } else { 0.8 } };
    let mut sent: Vec<Sent> = Vec::new();
    let mut request = || {
        let number = random.random_range(0..SITES.len());
        let (site, key) = SITES[number];
        let count = random.random_range(1..=6);
        let mut batch = Vec::new();
        for _ in 0..count {
            let again = sent.iter().filter(|(of, ..)| *of == number).collect::<Vec<_>>().choose(&mut random).copied().cloned();
            let (id, event) = match again {
                Some((_, id, event)) if random.random_bool(0.25) => (id, event),
                _ => event(&mut random, &times, number, &sent),
            };
            sent.push((number, id, event.clone()));
            batch.push((id, event));
        }
        let later_valid = batch.iter().filter(|(_, event)| event["event"] == LATER_VALID && event["type"] == "track");
        let later_valid = later_valid.filter_map(|(id, _)| *id).collect();
        let (ids, batch): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        Request { site, body: json!({ "writeKey": key, "batch": batch }), ids, later_valid }
    };
    (0..plan.clients).map(|_| (0..plan.requests).map(|_| request()).collect()).collect()
}

/// When events happen by their senders' clocks, and how many say so.
struct Times {
    noon: Micros,
    given: f64,
}

fn event(random: &mut ChaCha8Rng, times: &Times, site: usize, sent: &[Sent]) -> (Option<Uuid>, Value) {
    if random.random_bool(0.03) {
        return (None, json!(7));
    }
    // An id that another site has used is another event there.
    let taken = sent.choose(random).and_then(|(_, id, _)| *id).filter(|_| random.random_bool(0.1));
    let taken = taken.filter(|taken| !sent.iter().any(|(of, id, _)| *of == site && *id == Some(*taken)));
    let fresh = uuid::Builder::from_random_bytes(random.random()).into_uuid();
    let id = taken.unwrap_or(fresh);
    let (visitor, users) = VISITORS[random.random_range(0..VISITORS.len())];
    let user = users.choose(random).filter(|_| random.random_bool(0.6));
    let mut event = json!({ "type": "track", "event": "e", "messageId": id, "properties": {} });
    if let Some(user) = user {
        event["userId"] = json!(user);
    }
    if user.is_none() || random.random_bool(0.7) {
        event["anonymousId"] = json!(visitor);
    }
    if random.random_bool(times.given) {
        let back = random.random_range(2..=5) * Micros::HOUR;
        event["timestamp"] = json!(times.noon.plus(-back + random.random_range(0..Micros::HOUR)));
    }
    if random.random_bool(0.06) {
        event["event"] = json!(LATER_VALID);
    }
    if random.random_bool(0.08) {
        event["type"] = json!("nothing");
    }
    (Some(id), event)
}
