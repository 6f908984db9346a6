//! What the embedded store says when its disk is full, its file damaged, or its folder taken.

use clickstream_event::{Logged, Micros, Properties};
use clickstream_store::{
    EventStore, Person, StoreError,
    conformance::event,
    sqlite::{SqliteStore, SqliteStoreOptions},
};
use uuid::Uuid;

/// Events that compress badly.
fn noisy(count: i64, from: i64) -> Vec<Logged> {
    (from..from + count)
        .map(|i| {
            let mut logged = event("demo", i);
            let noise: String = (0..20).map(|_| Uuid::new_v4().simple().to_string()).collect();
            logged.event.properties = Properties::from_json(&format!("{{\"noise\":\"{noise}\"}}")).unwrap();
            logged
        })
        .collect()
}

#[tokio::test]
async fn a_full_disk_refuses_puts_whole_and_recovers_when_space_returns() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteStoreOptions { max_database_bytes: Some(4 << 20), ..SqliteStoreOptions::default() };
    let store = SqliteStore::open_with(dir.path(), options).unwrap();
    let mut at = 0;
    for round in 0..2 {
        let error = loop {
            assert!(at < 1_000_000, "never full");
            let before = store.count().await.unwrap();
            match store.put_events(&noisy(200, at)).await {
                Ok(()) => at += 200,
                Err(error) => {
                    assert_eq!(store.count().await.unwrap(), before, "all or none");
                    break error;
                }
            }
        };
        assert!(matches!(error, StoreError::Full), "{error}");
        let newest = event("demo", at - 300).event.received_at;
        store.expire(newest, Micros(0)).await.unwrap();
        store.put_events(&noisy(200, at)).await.unwrap();
        at += 200;
        assert!(store.count().await.unwrap() >= Some(400), "round {round}");
    }
}

#[tokio::test]
async fn a_changed_byte_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let mut logged = event("demo", 1);
    logged.event.user_id = Some("ann".to_owned());
    store.put_events(std::slice::from_ref(&logged)).await.unwrap();
    store.close().await;
    let file = rusqlite::Connection::open(dir.path().join("store.db")).unwrap();
    file.execute("UPDATE payloads SET data = zeroblob(length(data))", []).unwrap();
    drop(file);
    let store = SqliteStore::open(dir.path()).unwrap();
    let damaged = |e: StoreError| assert!(matches!(&e, StoreError::Corrupt(t) if t.contains("checksum")), "{e}");
    damaged(store.find(None, logged.event.event_id).await.unwrap_err());
    damaged(store.timeline("demo", &Person::User("ann".to_owned()), None, 1).await.unwrap_err());
}

#[tokio::test]
async fn a_second_opener_is_told_who_holds_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let StoreError::Unavailable(text) = SqliteStore::open(dir.path()).unwrap_err() else { panic!() };
    assert!(text.contains(&dir.path().display().to_string()), "{text}");
    assert!(text.contains(&std::process::id().to_string()), "{text}");
    store.close().await;
    store.close().await;
    assert!(matches!(store.count().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.put_events(&[event("demo", 1)]).await, Err(StoreError::Unavailable(_))));
    SqliteStore::open(dir.path()).unwrap();
}
