//! ClickHouse in process: starting, restarting, being killed, and who may ask what.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use clickstream_warehouse::{
    Warehouse,
    conformance::{event, object},
    embedded::{EmbeddedClickHouse, EmbeddedError},
};

/// Set in the process that is killed: the folder it works on.
const VICTIM: &str = "CLICKSTREAM_TEST_VICTIM";

fn library() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/deps/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so")
}

async fn rows(warehouse: &Warehouse) -> u64 {
    warehouse.client().query("SELECT count() FROM clicks").fetch_one().await.unwrap()
}

/// One test, because a process has one ClickHouse at a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starting_stopping_and_being_killed() {
    if let Some(folder) = std::env::var_os(VICTIM) {
        return insert_until_killed(Path::new(&folder)).await;
    }
    a_missing_or_wrong_library_is_named().await;
    let folder = tempfile::tempdir().unwrap();
    restarted_it_has_what_it_had(folder.path()).await;
    killed_it_loses_nothing_it_acknowledged(folder.path()).await;
}

async fn a_missing_or_wrong_library_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = EmbeddedClickHouse::start(folder.path(), Path::new("/nowhere/libchdb.so")).await.err().unwrap();
    assert!(matches!(error, EmbeddedError::LibraryMissing { .. }) && error.to_string().contains("make deps"), "{error}");
    let wrong = folder.path().join("libchdb.so");
    std::fs::write(&wrong, b"not a library").unwrap();
    let error = EmbeddedClickHouse::start(folder.path(), &wrong).await.err().unwrap();
    assert!(matches!(error, EmbeddedError::LibraryWrong { .. }), "{error}");
}

async fn restarted_it_has_what_it_had(folder: &Path) {
    for start in 0..3_u64 {
        let clickhouse = EmbeddedClickHouse::start(folder, &library()).await.unwrap();
        let again = EmbeddedClickHouse::start(folder, &library()).await.err().unwrap();
        assert!(matches!(again, EmbeddedError::AlreadyRunning), "{again}");
        let warehouse = Warehouse::from_url(clickhouse.url()).unwrap();
        warehouse.migrate().await.unwrap();
        assert_eq!(rows(&warehouse).await, start);
        warehouse.insert_raw(object(start, &[event("s", 0, "p")])).await.unwrap();
        if start == 0 {
            only_this_start_s_credentials_are_taken(clickhouse.url()).await;
            what_cannot_be_done_is_refused(clickhouse.url()).await;
        }
        clickhouse.shutdown().await;
        clickhouse.shutdown().await;
        assert!(warehouse.newest_commit().await.is_err(), "it answers after shutdown");
    }
}

async fn only_this_start_s_credentials_are_taken(url: &str) {
    let client = reqwest::Client::new();
    let with = url::Url::parse(url).unwrap();
    let mut bare = with.clone();
    bare.set_username("").unwrap();
    bare.set_password(None).unwrap();
    assert_eq!(client.get(bare.join("/ping").unwrap()).send().await.unwrap().text().await.unwrap(), "Ok.\n");
    let ask = bare.join("/?query=SELECT%201").unwrap();
    assert_eq!(client.get(ask.clone()).basic_auth("default", with.password()).send().await.unwrap().text().await.unwrap(), "1\n");
    for refused in [
        client.get(ask.clone()),
        client.get(ask.clone()).basic_auth("default", Some("guess")),
        client.get(ask).header("X-ClickHouse-Key", "x"),
    ] {
        let response = refused.send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.headers()["x-clickhouse-exception-code"].as_bytes()), (403, b"516".as_slice()));
    }
}

async fn what_cannot_be_done_is_refused(url: &str) {
    let client = reqwest::Client::new();
    let with = url::Url::parse(url).unwrap();
    let ask = |query: &str, body: &'static str| {
        let mut to = with.clone();
        to.set_query(Some(query));
        client.post(to).basic_auth("default", with.password()).body(body).send()
    };
    for (query, body, status, code) in [
        ("", "INSERT INTO t SELECT a FROM input('a UInt8') FORMAT CSV\n1", 501, "48"),
        ("", "INSERT INTO t FORMAT Parquet PAR1", 501, "48"),
        ("session_id=1", "SELECT 1", 501, "48"),
        ("decompress=1", "SELECT 1", 501, "48"),
        ("max_threads=x", "SELECT 1", 400, ""),
        ("nosuch=x", "SELECT 1", 404, "115"),
        ("database=nosuch", "SELECT 1", 404, "81"),
        ("query=INSERT%20INTO%20nosuch%20FORMAT%20CSV", "1", 500, ""),
        ("", "", 400, "62"),
    ] {
        let response = ask(query, body).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{query} {body}");
        let given = response.headers()["x-clickhouse-exception-code"].to_str().unwrap().to_owned();
        assert!(code.is_empty() || given == code, "{query} {body}: {given}");
    }
    let summed = ask("default_format=CSVWithNames", "SELECT sum(number) AS s FROM numbers(10)").await.unwrap().text().await.unwrap();
    assert_eq!(summed, "\"s\"\n45\n");
}

/// The other side of the kill: says each object it inserted, for as long as it lives.
async fn insert_until_killed(folder: &Path) {
    let clickhouse = EmbeddedClickHouse::start(folder, &library()).await.unwrap();
    let warehouse = Warehouse::from_url(clickhouse.url()).unwrap();
    for at in 100.. {
        warehouse.insert_raw(object(at, &[event("s", 0, "p")])).await.unwrap();
        std::fs::write(folder.join("acknowledged.tmp"), at.to_string()).unwrap();
        std::fs::rename(folder.join("acknowledged.tmp"), folder.join("acknowledged")).unwrap();
    }
}

async fn killed_it_loses_nothing_it_acknowledged(folder: &Path) {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["starting_stopping_and_being_killed", "--exact"])
        .env(VICTIM, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let acknowledged = || std::fs::read_to_string(folder.join("acknowledged")).ok().and_then(|t| t.parse::<u64>().ok()).unwrap_or(0);
    let deadline = Instant::now() + Duration::from_mins(1);
    while acknowledged() < 120 {
        assert!(Instant::now() < deadline, "the other process inserts nothing");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let taken = EmbeddedClickHouse::start(folder, &library()).await.err().unwrap();
    assert!(matches!(taken, EmbeddedError::FolderInUse { .. }) && taken.to_string().contains("another process"), "{taken}");
    victim.kill().unwrap();
    victim.wait().unwrap();
    let last = acknowledged();
    let clickhouse = EmbeddedClickHouse::start(folder, &library()).await.unwrap();
    let warehouse = Warehouse::from_url(clickhouse.url()).unwrap();
    warehouse.migrate().await.unwrap();
    // Three from before; at most one more was inserted and not yet said.
    let rows = rows(&warehouse).await;
    assert!((last - 99 + 3..=last - 98 + 3).contains(&rows), "{rows} rows after {last} was acknowledged");
    clickhouse.shutdown().await;
}
