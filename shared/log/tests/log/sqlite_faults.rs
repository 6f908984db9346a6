//! What the embedded log says when its disk is full, its file damaged, or its folder taken.

use std::{path::Path, time::Duration};

use clickstream_log::{
    BatchLimits, Log, LogError, Record,
    sqlite::{SqliteLog, SqliteLogOptions},
};

const TOPIC: &str = "events";

/// Records that compress badly, so that sizes are what they seem.
fn noise(seed: u64, count: usize) -> Vec<Record> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..count).map(|_| Record { value: (0..1_000).map(|_| byte()).collect::<Vec<_>>().into(), ..Record::default() }).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_appends_whole_and_recovers_when_space_returns() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteLogOptions { max_database_bytes: Some(2 << 20), ..SqliteLogOptions::default() };
    let log = SqliteLog::open_with(dir.path(), options).unwrap();
    log.create_topic(TOPIC, 1).await.unwrap();
    for round in 0..3 {
        let mut seed = 0;
        let error = loop {
            seed += 1;
            assert!(seed < 1_000, "never full");
            let before = log.extents(TOPIC).await.unwrap()[0].end;
            match log.append(TOPIC, noise(seed, 50)).await {
                Ok(positions) => assert_eq!(positions[0].offset, before),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, LogError::Full), "{error}");
        let extent = log.extents(TOPIC).await.unwrap()[0];
        assert_eq!(extent.end % 50, 0, "all or none");
        let last = log.read(TOPIC, 0, extent.end - 1, 10, 1 << 20).await.unwrap();
        assert_eq!(last.len(), 1, "what was there before is still read");

        log.expire(TOPIC, 0, extent.end - 100).await.unwrap();
        let positions = log.append(TOPIC, noise(1, 50)).await.unwrap();
        assert_eq!(positions[0].offset, extent.end, "round {round}");
    }
    log.close().await;
    let log = SqliteLog::open_with(dir.path(), options).unwrap();
    let extent = log.extents(TOPIC).await.unwrap()[0];
    assert_eq!(log.read(TOPIC, 0, extent.start, 10_000, 1 << 24).await.unwrap().len() as u64, extent.end - extent.start);
}

#[tokio::test]
async fn a_changed_byte_is_reported_and_the_rest_stays_readable() {
    let dir = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(dir.path()).unwrap();
    log.create_topic(TOPIC, 1).await.unwrap();
    for seed in 0..3 {
        log.append(TOPIC, noise(seed, 10)).await.unwrap();
    }
    log.close().await;
    change(dir.path(), "UPDATE blocks SET data = zeroblob(length(data)) WHERE first_offset = 10");
    let log = SqliteLog::open(dir.path()).unwrap();
    let error = log.read(TOPIC, 0, 10, 1, 1 << 20).await.unwrap_err();
    assert!(matches!(&error, LogError::Corrupt(e) if e.contains("10 to 20")), "{error}");
    assert_eq!(log.read(TOPIC, 0, 0, 10, 1 << 20).await.unwrap().len(), 10);
    assert_eq!(log.read(TOPIC, 0, 20, 10, 1 << 20).await.unwrap().len(), 10);
}

#[tokio::test]
async fn a_lost_block_is_reported_and_not_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(dir.path()).unwrap();
    log.create_topic(TOPIC, 1).await.unwrap();
    for seed in 0..3 {
        log.append(TOPIC, noise(seed, 10)).await.unwrap();
    }
    log.close().await;
    change(dir.path(), "DELETE FROM blocks WHERE first_offset = 10");
    let log = SqliteLog::open(dir.path()).unwrap();
    for from in [0, 10] {
        let error = log.read(TOPIC, 0, from, 100, 1 << 20).await.unwrap_err();
        assert!(matches!(&error, LogError::Corrupt(e) if e.contains("missing")), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_said_to_be_damaged() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("log.db"), "this was a database once, was it not? ".repeat(50)).unwrap();
    let error = SqliteLog::open(dir.path()).unwrap_err();
    assert!(matches!(&error, LogError::Corrupt(e) if e.contains("log.db")), "{error}");
}

#[tokio::test]
async fn a_second_opener_is_told_who_holds_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(dir.path()).unwrap();
    let error = SqliteLog::open(dir.path()).unwrap_err();
    let LogError::Unavailable(text) = error else { panic!("{error}") };
    assert!(text.contains(&dir.path().display().to_string()), "{text}");
    assert!(text.contains(&std::process::id().to_string()), "{text}");
    log.close().await;
    SqliteLog::open(dir.path()).unwrap();
}

#[tokio::test]
async fn closing_writes_what_is_queued_and_ends_waiting_consumers() {
    let dir = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(dir.path()).unwrap();
    log.create_topic(TOPIC, 1).await.unwrap();
    let limits = BatchLimits { max_records: 10_000, max_bytes: 1 << 24, window: Duration::from_mins(10) };
    let mut consumer = log.subscribe("group", &[TOPIC], limits).await.unwrap();
    let waiting = tokio::spawn(async move { consumer.next().await.map(|b| b.records.len()) });
    let mut appends = tokio::task::JoinSet::new();
    for seed in 0..20 {
        let log = log.clone();
        appends.spawn(async move { log.append(TOPIC, noise(seed, 10)).await });
    }
    tokio::task::yield_now().await;
    log.close().await;
    let acknowledged = appends.join_all().await.into_iter().flatten().count() as u64;
    assert!(matches!(waiting.await.unwrap(), Err(LogError::Unavailable(_))));
    assert!(matches!(log.append(TOPIC, noise(1, 1)).await, Err(LogError::Unavailable(_))));
    assert!(matches!(log.read(TOPIC, 0, 0, 1, 1).await, Err(LogError::Unavailable(_))));
    log.close().await;

    let log = SqliteLog::open(dir.path()).unwrap();
    assert_eq!(log.extents(TOPIC).await.unwrap()[0].end, acknowledged * 10);
}

#[tokio::test]
async fn an_append_that_finds_no_room_in_the_queue_is_unavailable_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteLogOptions { queue_bytes: 10_000, max_wait: Duration::from_millis(1), ..SqliteLogOptions::default() };
    let log = SqliteLog::open_with(dir.path(), options).unwrap();
    log.create_topic(TOPIC, 1).await.unwrap();
    let mut appends = tokio::task::JoinSet::new();
    for seed in 0..200 {
        let log = log.clone();
        appends.spawn(async move { log.append(TOPIC, noise(seed, 9)).await });
    }
    let results = appends.join_all().await;
    let appended = results.iter().filter(|r| r.is_ok()).count() as u64;
    let refused = results.iter().filter(|r| matches!(r, Err(LogError::Unavailable(_)))).count();
    assert!(refused > 0 && appended > 0);
    assert_eq!(appended + refused as u64, 200);
    assert_eq!(log.extents(TOPIC).await.unwrap()[0].end, appended * 9, "refused ones are not there");
}

fn change(folder: &Path, sql: &str) {
    let file = rusqlite::Connection::open(folder.join("log.db")).unwrap();
    assert!(file.execute(sql, []).unwrap() > 0);
}
