//! Any order, cutting and repetition of puts leaves the store as a plain map would be.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use clickstream_event::{Logged, Micros};
use clickstream_store::{EventStore, Found, Person, conformance::event, sqlite::SqliteStore};
use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

/// A copy of one of few events, by one of few persons, so that they meet often.
fn copies() -> impl Strategy<Value = Logged> {
    (0..2_u8, 0..12_u128, 0..4_i64, 0..3_u32, 0..5_u64, 0..3_i64, 0..4_u8, 0..3_u8).prop_map(
        |(site, id, received_at, partition, offset, original_at, user, anonymous)| {
            let mut logged = event(&format!("site{site}"), 0);
            let event = &mut logged.event;
            event.event_id = Uuid::from_u128(id);
            event.received_at = Micros(received_at);
            event.original_at = Micros(original_at);
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

/// One place of the log holds one record, so copies at the same place are the same.
fn one_record_a_place(mut copies: Vec<Vec<Logged>>) -> Vec<Vec<Logged>> {
    let mut known = BTreeMap::new();
    for copy in copies.iter_mut().flatten() {
        let key = (copy.event.site_id.clone(), copy.event.event_id, place(copy));
        *copy = known.entry(key).or_insert_with(|| copy.clone()).clone();
    }
    copies
}

async fn check(store: &SqliteStore, model: &BTreeMap<(String, Uuid), Logged>) {
    assert_eq!(store.count().await.unwrap(), Some(model.len() as u64));
    for site in ["site0", "site1"] {
        for id in (0..12).map(Uuid::from_u128) {
            let found = store.find(Some(site), id).await.unwrap();
            let expected = model.get(&(site.to_owned(), id)).cloned();
            assert_eq!(found, expected.map(|e| Found::Event(Box::new(e))));
        }
        for n in 1..4 {
            let id = format!("person{n}");
            for person in [Person::User(id.clone()), Person::Anonymous(id)] {
                let mut expected: Vec<Logged> = model
                    .values()
                    .filter(|e| e.event.site_id == site)
                    .filter(|e| match &person {
                        Person::User(id) => e.event.user_id.as_ref() == Some(id),
                        Person::Anonymous(id) => e.event.anonymous_id.as_ref() == Some(id),
                    })
                    .cloned()
                    .collect();
                expected.sort_by_key(|e| std::cmp::Reverse((e.event.original_at, e.event.event_id)));
                assert_eq!(store.timeline(site, &person, None, 100).await.unwrap(), expected);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_what_a_map_of_first_copies_would_be(
        puts in vec(vec(copies(), 0..30), 1..8).prop_map(one_record_a_place),
        expired_at in 0..5_i64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let store = SqliteStore::open(dir.path()).unwrap();
            let mut model: BTreeMap<(String, Uuid), Logged> = BTreeMap::new();
            for put in &puts {
                store.put_events(put).await.unwrap();
                for copy in put {
                    let key = (copy.event.site_id.clone(), copy.event.event_id);
                    let kept = model.entry(key).or_insert_with(|| copy.clone());
                    if place(copy) < place(kept) {
                        *kept = copy.clone();
                    }
                }
            }
            check(&store, &model).await;
            store.expire(Micros(expired_at), Micros(0)).await.unwrap();
            model.retain(|_, e| e.event.received_at.0 >= expired_at);
            check(&store, &model).await;
        });
    }
}
