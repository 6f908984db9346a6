//! The store on a real Cassandra passes the suite that every event store must pass.

use std::sync::Arc;

use async_trait::async_trait;
use clickstream_store::{
    Retention, SharedStore,
    conformance::{self, Subject},
    scylla::{ScyllaConfig, ScyllaStore},
};
use tokio::sync::Mutex;

use crate::cassandra;

struct Cassandra {
    config: ScyllaConfig,
    open: Mutex<Option<ScyllaStore>>,
}

#[async_trait]
impl Subject for Cassandra {
    async fn store(&self) -> SharedStore {
        let mut open = self.open.lock().await;
        if open.is_none() {
            *open = Some(cassandra::connect(&self.config).await);
        }
        Arc::new(open.clone().unwrap())
    }

    async fn reopen(&self) -> SharedStore {
        self.open.lock().await.take();
        self.store().await
    }

    async fn keeping(&self, retention: Retention) -> Option<SharedStore> {
        Some(Arc::new(ScyllaStore::connect(&self.config, retention).await.unwrap()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_on_cassandra_does_what_every_store_must() {
    let config = cassandra::keyspace().await;
    conformance::all(Arc::new(Cassandra { config: config.clone(), open: Mutex::new(None) })).await;
    cassandra::remove(&config).await;
}
