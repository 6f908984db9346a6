//! Any order, cutting and repetition of puts leaves the store as a plain map would be.

use clickstream_event::Micros;
use clickstream_store::{EventStore, conformance::event, sqlite::SqliteStore};
use proptest::prelude::*;

use crate::model::{Model, check, first_copies, puts};

async fn check_all(store: &SqliteStore, model: &Model) {
    assert_eq!(store.count().await.unwrap(), Some(model.len() as u64));
    check(store, "", model).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_what_a_map_of_first_copies_would_be(puts in puts(String::new()), expired_after in 0..5_i64) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let store = SqliteStore::open(dir.path()).unwrap();
            for put in &puts {
                store.put_events(put).await.unwrap();
            }
            let mut model = first_copies(&puts);
            check_all(&store, &model).await;
            let expired_at = event("", 0).event.received_at.plus(expired_after);
            store.expire(expired_at, Micros(0)).await.unwrap();
            model.retain(|_, e| e.event.received_at >= expired_at);
            check_all(&store, &model).await;
        });
    }
}
