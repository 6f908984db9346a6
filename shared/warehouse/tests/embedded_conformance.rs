//! The conformance checks against ClickHouse in process.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{path::PathBuf, process::Command};

use clickstream_migrations::statements;
use clickstream_warehouse::{Warehouse, conformance, embedded::EmbeddedClickHouse};

fn library() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/deps/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clickhouse_in_process_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let clickhouse = EmbeddedClickHouse::start(folder.path(), &library()).await.unwrap();
    conformance::all(clickhouse.url()).await;
    the_example_for_replicas_parses(&Warehouse::from_url(clickhouse.url()).unwrap()).await;
    clickhouse.shutdown().await;
}

async fn the_example_for_replicas_parses(warehouse: &Warehouse) {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schema/clickhouse/replicated.sh");
    let printed = Command::new(script).arg("shop").output().unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let statements = statements(&String::from_utf8(printed.stdout).unwrap());
    let replicated = statements.iter().filter(|s| s.contains("ENGINE = Replicated")).count();
    assert!(replicated > 9 && !statements.iter().any(|s| s.contains("ENGINE = MergeTree")), "{replicated} of {}", statements.len());
    let client = warehouse.client().clone().with_database("default");
    for statement in &statements {
        let query = client.query("SELECT formatQuery(?)").bind(statement);
        query.fetch_one::<String>().await.unwrap_or_else(|error| panic!("{error}: {statement}"));
    }
}
