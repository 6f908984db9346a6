//! The whole pipeline in small, step by step.

use std::{sync::Arc, time::Duration};

use clickstream_compact::{Compact, CompactReport, CompactRequest};
use clickstream_event::{Event, Logged};
use clickstream_lake::Lake;
use clickstream_land::{Land, LandedObject};
use clickstream_load::Load;
use clickstream_log::{BatchLimits, EVENTS, INBOUND, Log as _, REJECTED, Record, event_record, sqlite::SqliteLog};
use clickstream_objects::{Notification, Objects as _};
use clickstream_reconcile::{Ledger, Reconcile, ReconcileReport, ReconcileRequest, Settings, Sources};
use clickstream_settle::Settle;
use clickstream_store::{SharedStore, sqlite::SqliteStore};
use clickstream_store_events::StoreEvents;
use clickstream_testkit::{clickhouse::Database, s3::Bucket, sample::click};
use clickstream_warehouse::{Report, ReportQuery, Warehouse};
use tempfile::TempDir;
use uuid::Uuid;

pub struct Scene {
    pub log: SqliteLog,
    pub log_id: String,
    pub store: SharedStore,
    pub bucket: Bucket,
    pub lake: Arc<Lake>,
    pub database: Database,
    pub settings: Settings,
    pub folder: TempDir,
}

/// Ids and seconds of clicks.
pub fn clicks(ids: std::ops::Range<u128>) -> Vec<Event> {
    ids.map(|id| click(id, (id % 86_400) as i64 * 3)).collect()
}

impl Scene {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(&folder.path().join("log")).unwrap();
        for (topic, partitions) in [(EVENTS, 2), (REJECTED, 1), (INBOUND, 1)] {
            log.create_topic(topic, partitions).await.unwrap();
        }
        let log_id = log.log_id().await.unwrap();
        let store: SharedStore = Arc::new(SqliteStore::open(&folder.path().join("store")).unwrap());
        let bucket = Bucket::start().await;
        let lake = Arc::new(Lake::open(bucket.config()).await.unwrap());
        let settings = Settings { grace: Duration::ZERO, ..Settings::default() };
        Self { log, log_id, store, bucket, lake, database: Database::create().await, settings, folder }
    }

    pub fn warehouse(&self) -> &Warehouse {
        &self.database.warehouse
    }

    pub fn reconcile(&self) -> Reconcile {
        let objects = Arc::clone(&self.bucket.objects);
        let (lake, store) = (Arc::clone(&self.lake), Arc::clone(&self.store));
        let log = Arc::new(self.log.clone());
        Reconcile::new(Sources::new(log, objects, lake, self.warehouse().clone(), store, self.log_id.clone()), self.settings.clone())
    }

    /// A run that finds nothing that it cannot do.
    pub async fn run(&self) -> ReconcileReport {
        let report = self.reconcile().run(ReconcileRequest::default()).await.unwrap();
        assert_eq!(report.failed, Vec::<String>::new());
        report
    }

    /// What was repaired: kind and count.
    pub async fn repaired(&self) -> Vec<(String, u64)> {
        self.run().await.repairs.into_iter().map(|repair| (repair.kind, repair.count)).collect()
    }

    pub async fn ledger(&self) -> Ledger {
        self.reconcile().ledger(24).await.unwrap()
    }

    /// Appends events to the log.
    pub async fn log(&self, events: &[Event]) {
        let records: Vec<Record> = events.iter().map(|event| event_record(event).unwrap()).collect();
        self.log.append(EVENTS, records).await.unwrap();
    }

    /// Batches of a group, until it has done what the log holds.
    async fn batches(&self, group: &str) -> Vec<clickstream_log::Batch> {
        let limits = BatchLimits { max_records: 10, max_bytes: 1 << 20, window: Duration::from_millis(1) };
        let mut consumer = self.log.subscribe(group, &[EVENTS], limits).await.unwrap();
        let mut batches = Vec::new();
        loop {
            let committed = self.log.committed(group, EVENTS).await.unwrap();
            let next = |partition| committed.iter().find(|(p, _)| *p == partition).and_then(|(_, next)| *next).unwrap_or(0);
            if self.log.extents(EVENTS).await.unwrap().iter().all(|extent| next(extent.partition) >= extent.end) {
                return batches;
            }
            let batch = consumer.next().await.unwrap();
            consumer.commit(EVENTS, batch.partition, batch.next_offset()).await.unwrap();
            batches.push(batch);
        }
    }

    /// Lands what is logged.
    pub async fn land(&self) -> Vec<LandedObject> {
        self.land_as("land").await
    }

    /// The same, from where `group` is.
    pub async fn land_as(&self, group: &str) -> Vec<LandedObject> {
        let land = Land::new(self.bucket.objects.clone(), self.log_id.clone());
        let mut landed = Vec::new();
        for batch in self.batches(group).await {
            landed.push(land.handle(&batch).await.unwrap());
        }
        landed
    }

    /// Stores what is logged.
    pub async fn store(&self) {
        let function = StoreEvents::new(Arc::clone(&self.store));
        for batch in self.batches("store").await {
            function.handle(&batch).await.unwrap();
        }
    }

    /// Announces an object.
    pub async fn load(&self, key: &str) {
        let load = Load::new(self.bucket.objects.clone(), self.warehouse().clone());
        let notification = Notification { bucket: String::new(), key: key.to_owned(), etag: String::new(), size: 0 };
        load.handle(&notification).await.unwrap();
    }

    pub async fn compact(&self) -> CompactReport {
        let compact = Compact::new(self.bucket.objects.clone(), Arc::clone(&self.lake), self.log_id.clone());
        compact.run(CompactRequest::default()).await.unwrap()
    }

    pub async fn settle(&self) {
        Settle::new(Arc::clone(&self.lake), self.warehouse().clone()).run().await.unwrap();
    }

    /// Takes events all the way.
    pub async fn take(&self, events: &[Event]) {
        self.log(events).await;
        self.store().await;
        for object in self.land().await {
            self.load(&object.key).await;
        }
        self.compact().await;
        self.settle().await;
    }

    pub async fn delete(&self, key: &str) {
        self.bucket.objects.delete(key).await.unwrap();
    }

    pub async fn count(&self, table: &str) -> u64 {
        self.database.number(&format!("count() FROM {table}")).await
    }

    /// A statement of somebody else's on the same ClickHouse.
    pub async fn sql(&self, sql: &str) {
        let query = self.warehouse().client().query_raw(sql).with_setting("mutations_sync", "1");
        query.execute().await.unwrap();
    }

    /// Every report and every mart as text.
    pub async fn reports(&self) -> String {
        let mut text = String::new();
        for report in Report::ALL {
            let query = ReportQuery {
                report,
                site: "shop".to_owned(),
                from: "2026-11-01".parse().unwrap(),
                to: "2026-12-10".parse().unwrap(),
                path: None,
            };
            text += &serde_json::to_string(&self.warehouse().report(&query).await.unwrap()).unwrap();
        }
        let marts = ["element_daily", "user_activity_daily", "session_daily", "device_daily", "page_daily", "person_daily", "source_daily"];
        for mart in marts {
            let rows = self.warehouse().client().query_raw(&format!("SELECT * FROM {mart} ORDER BY ALL"));
            let rows = rows.fetch_bytes("TabSeparatedWithNames").unwrap().collect().await.unwrap();
            text += std::str::from_utf8(&rows).unwrap();
        }
        text
    }

    /// Events of `ids` that the event store has.
    pub async fn stored(&self, ids: std::ops::Range<u128>) -> usize {
        let mut found = 0;
        for id in ids {
            found += usize::from(self.store.find(Some("shop"), Uuid::from_u128(id)).await.unwrap().is_some());
        }
        found
    }

    /// Another event store in place of the one that is lost.
    pub fn lose_store(&mut self) {
        self.store = Arc::new(SqliteStore::open(&self.folder.path().join(Uuid::new_v4().to_string())).unwrap());
    }

    /// Puts an event at a place of partition 0, as if it were logged there.
    pub async fn put(&self, event: &Event) {
        self.store.put_events(&[Logged { log_partition: 0, log_offset: 0, event: event.clone() }]).await.unwrap();
    }
}
