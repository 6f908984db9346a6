//! ClickHouse in the process of the tests. A process has one; each test has a database of its own in it.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError, mpsc},
    thread::JoinHandle,
};

use clickstream_warehouse::{Warehouse, embedded::EmbeddedClickHouse};
use tokio::{runtime::Runtime, sync::oneshot};
use uuid::Uuid;

/// A migrated database. ClickHouse stops when the last one is dropped.
pub struct Database {
    /// Its client.
    pub warehouse: Warehouse,
    /// What `WAREHOUSE_URL` may say.
    pub url: String,
}

/// The server in a thread of its own, which outlives the runtimes of tests.
struct Server {
    url: String,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

struct Shared {
    users: usize,
    server: Option<Server>,
}

static SHARED: Mutex<Shared> = Mutex::new(Shared { users: 0, server: None });

impl Database {
    /// Makes a database.
    pub async fn create() -> Self {
        let server = tokio::task::spawn_blocking(enter).await.unwrap();
        let url = format!("{server}/t_{}", Uuid::new_v4().simple());
        let database = Self { warehouse: Warehouse::from_url(&url).unwrap(), url };
        database.warehouse.migrate().await.unwrap();
        database
    }

    /// One number, such as `count() FROM clicks`.
    pub async fn number(&self, what: &str) -> u64 {
        self.warehouse.client().query(&format!("SELECT {what}")).fetch_one().await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.users -= 1;
        if shared.users == 0
            && let Some(server) = shared.server.take()
        {
            let _ = server.stop.send(());
            let _ = server.thread.join();
        }
    }
}

fn enter() -> String {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let url = shared.server.get_or_insert_with(start).url.clone();
    shared.users += 1;
    url
}

fn start() -> Server {
    let (say, said) = mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        let folder = tempfile::tempdir().unwrap();
        Runtime::new().unwrap().block_on(async {
            let clickhouse = EmbeddedClickHouse::start(folder.path(), &library()).await.unwrap();
            say.send(clickhouse.url().to_owned()).unwrap();
            let _ = stopped.await;
            clickhouse.shutdown().await;
        });
    });
    Server { url: said.recv().unwrap(), stop, thread }
}

/// Where `make deps` puts the library.
fn library() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/deps/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so")
}
