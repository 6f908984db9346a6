//! Any order, cutting and repetition of puts, by one writer or by two at once, leaves the store as a plain map would be.

use clickstream_event::Logged;
use clickstream_store::{EventStore, Found, Person, conformance::event};
use proptest::prelude::*;
use uuid::Uuid;

use crate::{
    cassandra,
    model::{check, first_copies, puts},
};

#[test]
fn the_store_is_what_a_map_of_first_copies_would_be() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = runtime.block_on(cassandra::keyspace());
    let store = runtime.block_on(cassandra::connect(&config));
    // The cases share the keyspace: each has sites of its own.
    let cases = any::<u128>().prop_map(|case| case.to_string()).prop_flat_map(|case| (puts(case.clone()), Just(case)));
    proptest!(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() }, |((puts, case) in cases, racing: bool)| {
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
