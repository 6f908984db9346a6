//! Any order, cutting and repetition of puts, by one writer or by two at once, leaves the store as a plain map would be.
#![expect(clippy::unwrap_used, reason = "tests")]

mod cassandra;

use std::collections::BTreeMap;

use clickstream_event::{Logged, Micros};
use clickstream_store::{EventStore, Found, Person, conformance::event, scylla::ScyllaStore};
use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

/// A copy of one of few events, by one of few persons, so that they meet often. Sites are named by the case.
fn copies() -> impl Strategy<Value = Logged> {
    (0..2_u8, 0..8_u128, 0..4_i64, 0..3_u32, 0..5_u64, 0..4_i64, 0..4_u8, 0..3_u8).prop_map(
        |(site, id, received_at, partition, offset, original_at, user, anonymous)| {
            let mut logged = event(&format!("site{site}"), 0);
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

fn place(e: &Logged) -> (Micros, u32, u64) {
    (e.event.received_at, e.log_partition, e.log_offset)
}

/// Sites of this case alone, and one record at one place of the log: copies there are the same.
fn made_real(mut copies: Vec<Vec<Logged>>, case: &str) -> Vec<Vec<Logged>> {
    let mut known = BTreeMap::new();
    for copy in copies.iter_mut().flatten() {
        copy.event.site_id = format!("{case}-{}", copy.event.site_id);
        let key = (copy.event.site_id.clone(), copy.event.event_id, place(copy));
        *copy = known.entry(key).or_insert_with(|| copy.clone()).clone();
    }
    copies
}

fn first_copies(puts: &[Vec<Logged>]) -> BTreeMap<(String, Uuid), Logged> {
    let mut model: BTreeMap<(String, Uuid), Logged> = BTreeMap::new();
    for copy in puts.iter().flatten() {
        let kept = model.entry((copy.event.site_id.clone(), copy.event.event_id)).or_insert_with(|| copy.clone());
        if place(copy) < place(kept) {
            *kept = copy.clone();
        }
    }
    model
}

async fn check(store: &ScyllaStore, case: &str, model: &BTreeMap<(String, Uuid), Logged>) {
    for site in [format!("{case}-site0"), format!("{case}-site1")] {
        for id in (0..8).map(Uuid::from_u128) {
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

#[test]
fn the_store_is_what_a_map_of_first_copies_would_be() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = runtime.block_on(cassandra::keyspace());
    let store = runtime.block_on(cassandra::connect(&config));
    let puts = vec(vec(copies(), 0..30), 1..8);
    proptest!(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() }, |(puts in puts, racing: bool)| {
        let case = Uuid::new_v4().simple().to_string();
        let puts = made_real(puts, &case);
        runtime.block_on(async {
            let forwards = async { for put in &puts { store.put_events(put).await.unwrap(); } };
            let backwards = async { if racing { for put in puts.iter().rev() { store.put_events(put).await.unwrap(); } } };
            tokio::join!(forwards, backwards);
            check(&store, &case, &first_copies(&puts)).await;
        });
    });
    runtime.block_on(cassandra::remove(&config));
}

/// Several writers, each with a connection of its own, put copies of the same events in another order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_copies_that_race_the_first_stays() {
    let config = cassandra::keyspace().await;
    let site = format!("site-{}", Uuid::new_v4());
    let events: Vec<Logged> = (0..200).map(|n| event(&site, n)).collect();
    let copies = |moved: i64| -> Vec<Logged> {
        let of = |logged: &Logged| {
            let mut copy = logged.clone();
            copy.event.received_at = copy.event.received_at.plus(moved);
            copy.event.user_id = Some(format!("user{moved}"));
            copy
        };
        events.iter().map(of).collect()
    };
    let mut writers = tokio::task::JoinSet::new();
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let (config, puts) = (config.clone(), order.map(copies));
        writers.spawn(async move {
            let store = cassandra::connect(&config).await;
            for put in puts {
                for some in put.chunks(50) {
                    store.put_events(some).await.unwrap();
                }
            }
        });
    }
    writers.join_all().await;
    let store = cassandra::connect(&config).await;
    for first in copies(0) {
        let found = store.find(Some(&site), first.event.event_id).await.unwrap();
        assert_eq!(found, Some(Found::Event(Box::new(first))));
    }
    let of = |n: u8| Person::User(format!("user{n}"));
    assert_eq!(store.timeline(&site, &of(0), None, 1_000).await.unwrap().len(), 200);
    assert!(store.timeline(&site, &of(1), None, 1_000).await.unwrap().is_empty());
    cassandra::remove(&config).await;
}
