//! What clients send: by the seed, with repeats of what others sent before, and with what is to be rejected.

use clickstream_event::Micros;
use rand::{RngExt as _, SeedableRng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{columns::Identity, plan::Plan, world::SITES};

/// One request, and what it names.
#[derive(Clone, Debug)]
pub struct Request {
    pub site: &'static str,
    pub body: Value,
    /// Message ids in order; none for an element that is no event at all.
    pub ids: Vec<Option<Uuid>>,
}

impl Request {
    pub fn identities(&self) -> impl Iterator<Item = Identity> {
        self.ids.iter().flatten().map(|id| (self.site.to_owned(), *id))
    }
}

/// Site, message id and body of what is sent.
type Sent = (usize, Option<Uuid>, Value);

/// The requests of each client.
///
/// Times lie in whole hours of their own before the present one, so that which hours touch which does not hang on when
/// the seed is run.
pub fn requests(seed: u64, plan: &Plan) -> Vec<Vec<Request>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x7aff_1c00);
    let hour = Micros(Micros::now().0.div_euclid(Micros::HOUR) * Micros::HOUR);
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
                _ => event(&mut random, hour, number, &sent),
            };
            sent.push((number, id, event.clone()));
            batch.push((id, event));
        }
        let (ids, batch): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        Request { site, body: json!({ "writeKey": key, "batch": batch }), ids }
    };
    (0..plan.clients).map(|_| (0..plan.requests).map(|_| request()).collect()).collect()
}

fn event(random: &mut ChaCha8Rng, hour: Micros, site: usize, sent: &[Sent]) -> (Option<Uuid>, Value) {
    if random.random_bool(0.03) {
        return (None, json!(7));
    }
    // An id that another site has used is another event there.
    let taken = sent.choose(random).and_then(|(_, id, _)| *id).filter(|_| random.random_bool(0.1));
    let taken = taken.filter(|taken| !sent.iter().any(|(of, id, _)| *of == site && *id == Some(*taken)));
    let fresh = uuid::Builder::from_random_bytes(random.random()).into_uuid();
    let id = taken.unwrap_or(fresh);
    let mut event = json!({ "type": "track", "event": "e", "messageId": id, "anonymousId": "v" });
    if random.random_bool(0.8) {
        let back = random.random_range(2..=5) * Micros::HOUR;
        event["timestamp"] = json!(hour.plus(-back + random.random_range(0..Micros::HOUR)));
    }
    if random.random_bool(0.08) {
        event["type"] = json!("nothing");
    }
    (Some(id), event)
}
