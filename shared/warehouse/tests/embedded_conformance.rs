//! The conformance checks against ClickHouse in process.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use clickstream_warehouse::{conformance, embedded::EmbeddedClickHouse};

fn library() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/deps/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clickhouse_in_process_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let clickhouse = EmbeddedClickHouse::start(folder.path(), &library()).await.unwrap();
    conformance::all(clickhouse.url()).await;
    clickhouse.shutdown().await;
}
