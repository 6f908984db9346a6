//! The embedded adapters behind the ports.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use clickstream_lake::Lake;
use clickstream_log::{EVENTS, INBOUND, Log, REJECTED, SharedLog, sqlite::SqliteLog};
use clickstream_objects::{Notifications, SharedObjects, embedded::EmbeddedS3, s3::S3Objects};
use clickstream_store::{SharedStore, sqlite::SqliteStore};
use clickstream_warehouse::{Warehouse, embedded::EmbeddedClickHouse};

use crate::config::Config;

/// Name of the bucket.
const BUCKET: &str = "clickstream";

/// Log, store, objects, lake and warehouse of this service.
pub struct Parts {
    /// The log.
    pub log: SharedLog,
    /// The event store.
    pub store: SharedStore,
    /// The bucket.
    pub objects: SharedObjects,
    /// What was written to the bucket.
    pub notifications: Arc<dyn Notifications>,
    /// The lake.
    pub lake: Arc<Lake>,
    /// The warehouse.
    pub warehouse: Warehouse,
    data: PathBuf,
    sqlite_log: SqliteLog,
    sqlite_store: SqliteStore,
    s3: EmbeddedS3,
    clickhouse: EmbeddedClickHouse,
}

impl Parts {
    /// Starts everything on the data folder and brings every schema up to date.
    pub async fn start(config: &Config) -> anyhow::Result<Self> {
        let data = &config.data;
        let sqlite_log = SqliteLog::open(&data.join("log")).context("the log does not open")?;
        for (topic, partitions) in [(EVENTS, config.partitions), (REJECTED, 1), (INBOUND, 2)] {
            sqlite_log.create_topic(topic, partitions).await?;
        }
        let sqlite_store = SqliteStore::open(&data.join("store")).context("the event store does not open")?;
        let s3 = EmbeddedS3::start(&data.join("objects"), BUCKET).await.context("the object store does not start")?;
        let objects: SharedObjects = Arc::new(S3Objects::connect(s3.config()).await);
        let notifications = s3.notifications();
        // ClickHouse's threads take over the priority of the one that starts them, which is to be a worker's.
        let (folder, library) = (data.join("clickhouse"), config.chdb_lib.clone());
        let clickhouse = tokio::spawn(async move { EmbeddedClickHouse::start(&folder, &library).await });
        let clickhouse = clickhouse.await?.context("ClickHouse does not start")?;
        let warehouse = Warehouse::from_url(clickhouse.url()).context("ClickHouse does not answer")?;
        warehouse.migrate().await.context("the tables of ClickHouse cannot be brought up to date")?;
        let lake = Arc::new(Lake::open(s3.config()).await.context("the lake does not open")?);
        let spool = data.join("spool");
        std::fs::create_dir_all(&spool)?;
        Ok(Self {
            log: Arc::new(sqlite_log.clone()),
            store: Arc::new(sqlite_store.clone()),
            objects,
            notifications,
            lake,
            warehouse,
            data: data.clone(),
            sqlite_log,
            sqlite_store,
            s3,
            clickhouse,
        })
    }

    /// Where files wait on their way into the bucket.
    pub fn spool(&self) -> PathBuf {
        self.data.join("spool")
    }

    /// Bytes free on the data folder's disk.
    pub fn disk_free(&self) -> Option<u64> {
        disk_free(&self.data)
    }

    /// Stops every part after the last piece of work.
    pub async fn stop(&self) {
        self.sqlite_log.close().await;
        self.sqlite_store.close().await;
        self.s3.shutdown().await;
        self.clickhouse.shutdown().await;
    }
}

fn disk_free(folder: &Path) -> Option<u64> {
    let status = rustix::fs::statvfs(folder).ok()?;
    Some(status.f_bavail * status.f_frsize)
}
