//! What a store holds after any puts, as a plain map: of each event the first copy.

use std::collections::BTreeMap;

use clickstream_event::{Logged, Micros};
use clickstream_store::{EventStore, Found, Person, conformance::event};
use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

/// Of each site and id, the first copy.
pub type Model = BTreeMap<(String, Uuid), Logged>;

/// Ids of events that are tried.
const IDS: u128 = 10;

/// Puts of copies of few events, by few persons, so that they meet often; of two sites whose names begin with `case`.
pub fn puts(case: String) -> impl Strategy<Value = Vec<Vec<Logged>>> {
    vec(vec(copies(case), 0..30), 1..8).prop_map(one_record_a_place)
}

fn copies(case: String) -> impl Strategy<Value = Logged> {
    (0..2_u8, 0..IDS, 0..4_i64, 0..3_u32, 0..5_u64, 0..4_i64, 0..4_u8, 0..3_u8).prop_map(
        move |(site, id, received_at, partition, offset, original_at, user, anonymous)| {
            let mut logged = event(&site_of(&case, site), 0);
            let event = &mut logged.event;
            event.event_id = Uuid::from_u128(id);
            event.received_at = event.received_at.plus(received_at);
            // Some moments are months apart.
            event.original_at = event.original_at.plus(original_at / 2 * 40 * Micros::DAY + original_at);
            event.user_id = (user > 0).then(|| format!("person{user}"));
            event.anonymous_id = (anonymous > 0).then(|| format!("person{anonymous}"));
            (logged.log_partition, logged.log_offset) = (partition, offset);
            logged
        },
    )
}

fn site_of(case: &str, number: u8) -> String {
    format!("{case}site{number}")
}

/// One place of the log holds one record, so copies at the same place are the same.
fn one_record_a_place(mut copies: Vec<Vec<Logged>>) -> Vec<Vec<Logged>> {
    let mut known = BTreeMap::new();
    for copy in copies.iter_mut().flatten() {
        let key = (copy.event.site_id.clone(), copy.event.event_id, place(copy));
        *copy = known.entry(key).or_insert_with(|| copy.clone()).clone();
    }
    copies
}

fn place(e: &Logged) -> (Micros, u32, u64) {
    (e.event.received_at, e.log_partition, e.log_offset)
}

/// What `puts` leave.
pub fn first_copies(puts: &[Vec<Logged>]) -> Model {
    let mut model = Model::new();
    for copy in puts.iter().flatten() {
        let kept = model.entry((copy.event.site_id.clone(), copy.event.event_id)).or_insert_with(|| copy.clone());
        if place(copy) < place(kept) {
            *kept = copy.clone();
        }
    }
    model
}

/// Asks `store` for every event and every timeline of `case`.
pub async fn check(store: &impl EventStore, case: &str, model: &Model) {
    for site in [site_of(case, 0), site_of(case, 1)] {
        for id in (0..IDS).map(Uuid::from_u128) {
            let found = store.find(Some(&site), id).await.unwrap();
            assert_eq!(found, model.get(&(site.clone(), id)).cloned().map(|e| Found::Event(Box::new(e))));
        }
        for n in 1..4 {
            let id = format!("person{n}");
            for person in [Person::User(id.clone()), Person::Anonymous(id)] {
                let owns = |e: &Logged| match &person {
                    Person::User(id) => e.event.user_id.as_ref() == Some(id),
                    Person::Anonymous(id) => e.event.anonymous_id.as_ref() == Some(id),
                };
                let mut expected: Vec<Logged> = model.values().filter(|e| e.event.site_id == site && owns(e)).cloned().collect();
                expected.sort_by_key(|e| std::cmp::Reverse((e.event.original_at, e.event.event_id)));
                assert_eq!(store.timeline(&site, &person, None, 100).await.unwrap(), expected);
                assert_eq!(store.timeline(&site, &person, None, 2).await.unwrap(), expected[..expected.len().min(2)]);
            }
        }
    }
}
