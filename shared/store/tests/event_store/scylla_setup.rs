//! Setting a keyspace up, and what is said where it is not.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use clickstream_store::{
    EventStore, Found, Retention, StoreError,
    conformance::event,
    scylla::{Consistency, Kind, Replication, ScyllaConfig, ScyllaStore, inspect, migrate},
};

use crate::cassandra;

async fn refused(config: &ScyllaConfig) -> String {
    match ScyllaStore::connect(config, Retention::default()).await.unwrap_err() {
        StoreError::Setting(text) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_that_set_the_same_keyspace_up_at_once_make_it_once() {
    let config = ScyllaConfig::new(vec![cassandra::contact_point()], &cassandra::unique());
    let mut setups = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let config = config.clone();
        setups.spawn(async move { migrate(&config).await.unwrap() });
    }
    setups.join_all().await;
    migrate(&config).await.unwrap();
    let store = cassandra::connect(&config).await;
    let logged = event("shop", 1);
    store.put_events(std::slice::from_ref(&logged)).await.unwrap();
    assert_eq!(store.find(None, logged.event.event_id).await.unwrap(), Some(Found::Event(Box::new(logged))));

    let found = inspect(&config).await.unwrap();
    assert_eq!((found.kind, found.missing.len()), (Kind::Cassandra, 0));
    assert!(found.version.starts_with("5."), "{found:?}");
    assert_eq!(found.fewest_copies(), Some(found.nodes.len().min(3)));
    assert_eq!(found.migrations.iter().map(|m| m.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let syncs: Vec<_> = found.nodes.iter().map(|n| n.commitlog_sync.as_deref()).collect();
    assert!(syncs.iter().all(|sync| ["group", "batch", "periodic"].contains(&sync.unwrap_or_default())), "{syncs:?}");
    cassandra::remove(&config).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_compressed_by_zstd_unless_an_operator_chose_otherwise() {
    let config = cassandra::keyspace().await;
    assert_eq!(compressor(&config, "events").await, "ZstdCompressor");
    assert_eq!(compressor(&config, "timelines").await, "ZstdCompressor");
    let chosen = format!("ALTER TABLE {}.events WITH compression = {{'class': 'DeflateCompressor'}}", config.keyspace);
    cassandra::execute(&config, &chosen).await;
    migrate(&config).await.unwrap();
    assert_eq!(compressor(&config, "events").await, "DeflateCompressor");
    // As a version before this one left it.
    let usual = format!("ALTER TABLE {}.events WITH compression = {{'class': 'LZ4Compressor'}}", config.keyspace);
    cassandra::execute(&config, &usual).await;
    migrate(&config).await.unwrap();
    assert_eq!(compressor(&config, "events").await, "ZstdCompressor");
    cassandra::remove(&config).await;
}

async fn compressor(config: &ScyllaConfig, table: &str) -> String {
    let query = "SELECT compression FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?";
    let (options,): (HashMap<String, String>,) = cassandra::row(config, query, (&config.keyspace, table)).await;
    options["class"].rsplit('.').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyspace_that_is_missing_or_not_up_to_date_is_named() {
    let config = ScyllaConfig::new(vec![cassandra::contact_point()], &cassandra::unique());
    let text = refused(&config).await;
    assert!(text.contains("STORE_URL") && text.contains(&config.keyspace) && text.contains("no such keyspace"), "{text}");
    let found = inspect(&config).await.unwrap();
    assert_eq!((found.fewest_copies(), found.missing.len()), (None, 4));
    assert!(found.warnings().iter().any(|w| w.contains("the keyspace is missing")));

    cassandra::execute(
        &config,
        &format!("CREATE KEYSPACE {} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}", config.keyspace),
    )
    .await;
    let text = refused(&config).await;
    assert!(text.contains("lacks the tables of 0001_events, 0002_timelines, 0003_rejections, 0004_erased"), "{text}");

    migrate(&config).await.unwrap();
    let ledger = format!("{}.migrations", config.keyspace);
    cassandra::execute(&config, &format!("UPDATE {ledger} SET checksum = '00' WHERE number = 2")).await;
    let text = refused(&config).await;
    assert!(text.contains("0002_timelines was changed"), "{text}");
    assert!(matches!(migrate(&config).await, Err(StoreError::Setting(_))));
    cassandra::execute(&config, &format!("DELETE FROM {ledger} WHERE number = 2")).await;
    migrate(&config).await.unwrap();
    cassandra::execute(&config, &format!("INSERT INTO {ledger} (number, name, checksum, applied_at) VALUES (9, 'x', 'y', 0)")).await;
    assert!(refused(&config).await.contains("newer version"));
    cassandra::remove(&config).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replication_is_as_the_url_says() {
    let point = cassandra::contact_point();
    // One node alone writes to one of two.
    for (option, copies) in [("replication=2&consistency=one", 2), ("replication=datacenter1:1", 1)] {
        let config = ScyllaConfig::from_url(&format!("scylla://{point}/{}?{option}", cassandra::unique())).unwrap();
        migrate(&config).await.unwrap();
        assert_eq!(inspect(&config).await.unwrap().fewest_copies(), Some(copies));
        cassandra::remove(&config).await;
    }
    let mut config = ScyllaConfig::new(vec![point], &cassandra::unique());
    (config.replication, config.consistency) = (Replication::Everywhere(3), Consistency::One);
    migrate(&config).await.unwrap();
    cassandra::connect(&config).await.put_events(&[event("shop", 1)]).await.unwrap();
    // One node is no majority of three.
    config.consistency = Consistency::LocalQuorum;
    let error = ScyllaStore::connect(&config, Retention::default()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    cassandra::remove(&config).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_host_or_datacenter_is_told_soon() {
    let began = Instant::now();
    for place in ["127.0.0.1:1", "no-such-host.invalid:9042"] {
        let config = ScyllaConfig::new(vec![place.to_owned()], "clicks");
        let error = ScyllaStore::connect(&config, Retention::default()).await.unwrap_err();
        let StoreError::Unavailable(text) = &error else { panic!("{error:?}") };
        assert!(text.contains("STORE_URL"), "{text}");
    }
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
    let mut config = cassandra::keyspace().await;
    config.local_dc = Some("elsewhere".to_owned());
    let text = refused(&config).await;
    assert!(text.contains("local_dc=elsewhere") && text.contains("datacenter1"), "{text}");
    cassandra::remove(&config).await;
}

#[tokio::test]
async fn a_wrong_url_is_no_reason_to_try_again() {
    for url in ["sqlite:", "redis://host", "scylla://host", "scylla://host/k?colour=red"] {
        let Err(StoreError::Setting(text)) = clickstream_store::connect(url, Retention::default()).await else { panic!("{url}") };
        assert!(text.contains("STORE_URL is wrong"), "{text}");
    }
}
