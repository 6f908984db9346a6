//! The embedded store, measured as a host has it, passes the suite that every event store must pass.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use clickstream_store::{
    SharedStore,
    conformance::{self, Subject},
    measured,
    sqlite::SqliteStore,
};

struct Embedded {
    dir: tempfile::TempDir,
    open: Mutex<Option<SqliteStore>>,
}

#[async_trait]
impl Subject for Embedded {
    async fn store(&self) -> SharedStore {
        let mut open = self.open.lock().unwrap();
        measured(Arc::new(open.get_or_insert_with(|| SqliteStore::open(self.dir.path()).unwrap()).clone()))
    }

    async fn reopen(&self) -> SharedStore {
        let store = self.open.lock().unwrap().take();
        if let Some(store) = store {
            store.close().await;
        }
        self.store().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_store_does_what_every_store_must() {
    let dir = tempfile::tempdir().unwrap();
    conformance::all(Arc::new(Embedded { dir, open: Mutex::new(None) })).await;
}
