//! The embedded log, measured as a host has it, passes the suite that every log must pass.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use clickstream_log::{
    SharedLog,
    conformance::{self, Subject, Supports},
    measured,
    sqlite::{SqliteLog, SqliteLogOptions},
};

struct Embedded {
    dir: tempfile::TempDir,
    options: SqliteLogOptions,
    open: Mutex<Option<SqliteLog>>,
}

impl Embedded {
    fn new(options: SqliteLogOptions) -> Arc<Self> {
        Arc::new(Self { dir: tempfile::tempdir().unwrap(), options, open: Mutex::new(None) })
    }
}

#[async_trait]
impl Subject for Embedded {
    async fn log(&self) -> SharedLog {
        let mut open = self.open.lock().unwrap();
        let log = open.get_or_insert_with(|| SqliteLog::open_with(self.dir.path(), self.options).unwrap());
        measured(Arc::new(log.clone()))
    }

    async fn reopen(&self) -> SharedLog {
        let log = self.open.lock().unwrap().take();
        if let Some(log) = log {
            log.close().await;
        }
        self.log().await
    }

    fn supports(&self) -> Supports {
        Supports { expire: true, growth: true }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_log_does_what_every_log_must() {
    conformance::all(Embedded::new(SqliteLogOptions::default())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_cache_it_does_the_same_from_the_file() {
    let options = SqliteLogOptions { cache_bytes: 0, ..SqliteLogOptions::default() };
    conformance::all(Embedded::new(options)).await;
}

#[tokio::test]
async fn with_a_queue_smaller_than_one_append_it_does_the_same_slowly() {
    let options = SqliteLogOptions { queue_bytes: 1_000, ..SqliteLogOptions::default() };
    conformance::all(Embedded::new(options)).await;
}
