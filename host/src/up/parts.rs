//! The adapters behind the ports: embedded, or on servers.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use clickstream_lake::Lake;
use clickstream_log::{EVENTS, INBOUND, Log, REJECTED, SharedLog, kafka::KafkaLog, sqlite::SqliteLog};
use clickstream_objects::{
    Notifications, SharedObjects,
    embedded::{EmbeddedS3, NotificationQueue},
    s3::{S3Config, S3Objects},
};
use clickstream_store::{Retention, SharedStore, sqlite::SqliteStore};
use clickstream_warehouse::{Warehouse, embedded::EmbeddedClickHouse};

use super::probe::Probe;
use crate::config::Config;

/// Name of the bucket.
const BUCKET: &str = "clickstream";
/// Folder of the log.
const LOG: &str = "log";

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
    /// Where a bucket's server announces its objects; none where the bucket is embedded.
    pub queue: Option<Arc<NotificationQueue>>,
    /// What `clickstream doctor` wrote to see it announced.
    pub probe: Probe,
    data: PathBuf,
    running: Running,
}

/// What has to be stopped.
#[derive(Default)]
struct Running {
    kafka: Option<KafkaLog>,
    log: Option<SqliteLog>,
    store: Option<SqliteStore>,
    s3: Option<EmbeddedS3>,
    clickhouse: Option<EmbeddedClickHouse>,
}

impl Parts {
    /// Starts what is embedded on the data folder, and connects to what is not; brings every embedded schema up to date.
    pub async fn start(config: &Config) -> anyhow::Result<Self> {
        let (data, mut running) = (&config.data, Running::default());
        let log = clickstream_log::measured(log(config, &mut running).await.context("the log does not open")?);
        let store = clickstream_store::measured(store(config, &mut running).await.context("the event store does not open")?);
        let (bucket, notifications, queue) = bucket(config, &mut running).await?;
        let objects: SharedObjects = clickstream_objects::measured(Arc::new(S3Objects::connect(&bucket).await));
        let warehouse = warehouse(config, &mut running).await?;
        let lake = Arc::new(Lake::open(&bucket).await.context("the lake does not open")?);
        let spool = data.join("spool");
        std::fs::create_dir_all(&spool)?;
        Ok(Self { log, store, objects, notifications, lake, warehouse, queue, probe: Probe::default(), data: data.clone(), running })
    }

    /// Where files wait on their way into the bucket.
    pub fn spool(&self) -> PathBuf {
        self.data.join("spool")
    }

    /// Where the log is, if it is embedded.
    pub fn log_folder(&self) -> Option<PathBuf> {
        self.running.log.is_some().then(|| self.data.join(LOG))
    }

    /// Bytes free on the data folder's disk.
    pub fn disk_free(&self) -> Option<u64> {
        disk_free(&self.data)
    }

    /// Bytes free on the data folder's disk, and bytes that it has.
    pub fn disk(&self) -> Option<(u64, u64)> {
        let status = rustix::fs::statvfs(&self.data).ok()?;
        Some((status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize))
    }

    /// Stops every part after the last piece of work.
    pub async fn stop(&self) {
        let Running { kafka, log, store, s3, clickhouse } = &self.running;
        if let Some(kafka) = kafka {
            kafka.close().await;
        }
        if let Some(log) = log {
            log.close().await;
        }
        if let Some(store) = store {
            store.close().await;
        }
        if let Some(s3) = s3 {
            s3.shutdown().await;
        }
        if let Some(clickhouse) = clickhouse {
            clickhouse.shutdown().await;
        }
    }
}

async fn log(config: &Config, running: &mut Running) -> anyhow::Result<SharedLog> {
    if let Some(url) = &config.servers.log {
        let log = KafkaLog::open(url)?;
        running.kafka = Some(log.clone());
        return Ok(Arc::new(log));
    }
    let log = SqliteLog::open(&config.data.join(LOG))?;
    for (topic, partitions) in [(EVENTS, config.partitions), (REJECTED, 1), (INBOUND, 2)] {
        log.create_topic(topic, partitions).await?;
    }
    running.log = Some(log.clone());
    Ok(Arc::new(log))
}

async fn store(config: &Config, running: &mut Running) -> anyhow::Result<SharedStore> {
    if let Some(url) = &config.servers.store {
        let retention = Retention { event_days: config.event_days, ..Retention::default() };
        return Ok(clickstream_store::connect(url, retention).await?);
    }
    let store = SqliteStore::open(&config.data.join("store"))?;
    running.store = Some(store.clone());
    Ok(Arc::new(store))
}

type Bucket = (S3Config, Arc<dyn Notifications>, Option<Arc<NotificationQueue>>);

async fn bucket(config: &Config, running: &mut Running) -> anyhow::Result<Bucket> {
    if let Some(bucket) = &config.servers.objects {
        let queue = NotificationQueue::open(&config.data.join("notifications"), &bucket.bucket);
        let queue = Arc::new(queue.context("the queue of notifications does not open")?);
        return Ok((bucket.clone(), Arc::clone(&queue) as Arc<dyn Notifications>, Some(queue)));
    }
    let s3 = EmbeddedS3::start(&config.data.join("objects"), BUCKET).await.context("the object store does not start")?;
    let bucket = (s3.config().clone(), s3.notifications(), None);
    running.s3 = Some(s3);
    Ok(bucket)
}

async fn warehouse(config: &Config, running: &mut Running) -> anyhow::Result<Warehouse> {
    // Marts of days that the lake lets go of are closed.
    let closing = config.retention.lake_days.days();
    if let Some(url) = &config.servers.warehouse {
        return Ok(Warehouse::from_url(url).context("WAREHOUSE_URL cannot be used")?.closing_after(closing));
    }
    // ClickHouse's threads take over the priority of the one that starts them, which is to be a worker's.
    let (folder, library) = (config.data.join("clickhouse"), config.chdb_lib.clone());
    let clickhouse = tokio::spawn(async move { EmbeddedClickHouse::start(&folder, &library).await });
    let clickhouse = clickhouse.await?.context("ClickHouse does not start")?;
    let warehouse = Warehouse::from_url(clickhouse.url()).context("ClickHouse does not answer")?.closing_after(closing);
    warehouse.migrate().await.context("the tables of ClickHouse cannot be brought up to date")?;
    running.clickhouse = Some(clickhouse);
    Ok(warehouse)
}

/// Bytes free on the disk of `folder`.
pub fn disk_free(folder: &Path) -> Option<u64> {
    let status = rustix::fs::statvfs(folder).ok()?;
    Some(status.f_bavail * status.f_frsize)
}
