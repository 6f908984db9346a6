//! A bucket, a lake and a ClickHouse.

use std::sync::Arc;

use arrow::array::AsArray as _;
use clickstream_columns::{raw_batch, read_columns, write_raw_object};
use clickstream_compact::{Compact, CompactReport, CompactRequest};
use clickstream_event::{Event, Micros};
use clickstream_lake::Lake;
use clickstream_load::Load;
use clickstream_objects::{
    Notification, Objects as _, PutOptions,
    s3::{S3Config, S3Objects},
};
use clickstream_retention::{Applied, RawExpiry, Retention, RetentionReport, RetentionRequest, RetentionSettings, Stores};
use clickstream_settle::{Settle, SettleReport};
use clickstream_testkit::{clickhouse::Database, s3::Bucket, sample::rows, servers};
use uuid::Uuid;

pub struct Service {
    pub objects: Arc<S3Objects>,
    pub lake: Arc<Lake>,
    pub database: Database,
    pub settings: RetentionSettings,
    /// How far the clock of retention is ahead.
    pub days_later: i64,
    config: S3Config,
    bucket: Option<Bucket>,
}

impl Service {
    /// On the embedded S3 server.
    pub async fn start() -> Self {
        let bucket = Bucket::start().await;
        Self::start_on(bucket.config().clone(), Some(bucket)).await
    }

    /// On a bucket of `MinIO` of its own.
    pub async fn on_minio() -> Self {
        let config = servers::bucket();
        S3Objects::connect(&config).await.make_bucket().await.unwrap();
        Self::start_on(config, None).await
    }

    async fn start_on(config: S3Config, bucket: Option<Bucket>) -> Self {
        let objects = Arc::new(S3Objects::connect(&config).await);
        let lake = Arc::new(Lake::open(&config).await.unwrap());
        let (database, settings) = (Database::create().await, RetentionSettings::default());
        Self { objects, lake, database, settings, days_later: 0, config, bucket }
    }

    /// The variables by which a function reaches the bucket.
    pub fn environment(&self) -> Vec<(&'static str, &str)> {
        let mut environment = self.bucket.as_ref().unwrap().environment().to_vec();
        environment.push(("WAREHOUSE_URL", &self.database.url));
        environment
    }

    pub fn tagging(self) -> Self {
        Self { settings: RetentionSettings { raw_expiry: RawExpiry::Tag, ..self.settings }, ..self }
    }

    /// The clock that many days ahead.
    pub fn later(self, days: i64) -> Self {
        Self { days_later: days, ..self }
    }

    /// Buckets have moments of their own: between two that are told apart.
    pub async fn a_while(&self) -> Micros {
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        let now = Micros::now();
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        now
    }

    pub fn stores(&self) -> Stores {
        Stores::new(self.objects.clone(), Arc::clone(&self.lake), self.database.warehouse.clone())
    }

    /// A process that was just started.
    pub async fn retention(&self) -> Retention {
        let (lake, later) = (Arc::new(Lake::open(&self.config).await.unwrap()), self.days_later * Micros::DAY);
        let stores = Stores::new(self.objects.clone(), lake, self.database.warehouse.clone());
        Retention::new(stores, self.settings).with_clock(move || Micros::now().plus(later))
    }

    /// A run that applies every rule.
    pub async fn run(&self) -> RetentionReport {
        self.retention().await.run(RetentionRequest::default()).await.whole().unwrap()
    }

    /// What a rule removes; before it, a dry run says the same and changes nothing, and after it another removes nothing.
    pub async fn removed(&self, rule: &str) -> u64 {
        let would = self.retention().await.run(RetentionRequest { dry_run: true }).await.whole().unwrap();
        let again = self.retention().await.run(RetentionRequest { dry_run: true }).await.whole().unwrap();
        assert_eq!((would.dry_run, &would.rules), (true, &again.rules), "a dry run changed something");
        let removed = of(&self.run().await, rule).removed.unwrap();
        assert_eq!(of(&would, rule).removed, Some(removed), "the dry run of {rule} said something else");
        assert_eq!(of(&self.run().await, rule).removed, Some(0), "{rule}, applied again");
        removed
    }

    pub async fn put(&self, key: &str, text: &str) -> String {
        self.objects.put(key, text.to_owned().into(), PutOptions::default()).await.unwrap()
    }

    /// Lands events of a partition, the first at offset `first`; answers the object's key.
    pub async fn land(&self, partition: u32, first: u64, events: &[Event]) -> String {
        self.land_with(partition, first, events, PutOptions::default()).await
    }

    pub async fn land_with(&self, partition: u32, first: u64, events: &[Event], options: PutOptions) -> String {
        let bytes = write_raw_object(&raw_batch("l", partition, &rows(first, events)).unwrap()).unwrap();
        let key = format!("raw/events/l/{partition:05}/{:020}-{first:020}.parquet", first + events.len() as u64 - 1);
        self.objects.put(&key, bytes, options).await.unwrap();
        key
    }

    /// Announces an object.
    pub async fn load(&self, key: &str) {
        let load = Load::new(self.objects.clone(), self.database.warehouse.clone());
        let notification = Notification { bucket: String::new(), key: key.to_owned(), etag: String::new(), size: 0 };
        load.handle(&notification).await.unwrap();
    }

    pub async fn compact(&self) -> CompactReport {
        let lake = Arc::new(Lake::open(&self.config).await.unwrap());
        Compact::new(self.objects.clone(), lake, "l".to_owned()).run(CompactRequest::default()).await.unwrap()
    }

    pub async fn settle(&self) -> SettleReport {
        Settle::new(Arc::clone(&self.lake), self.database.warehouse.clone()).run().await.unwrap()
    }

    pub async fn compact_and_settle(&self) {
        self.compact().await;
        self.settle().await;
    }

    pub async fn keys(&self, prefix: &str) -> Vec<String> {
        self.objects.list(prefix, None, 10_000).await.unwrap().into_iter().map(|object| object.key).collect()
    }

    /// The ids of every row of the lake, in order.
    pub async fn ids(&self) -> Vec<u128> {
        let mut ids = Vec::new();
        for file in self.lake.snapshot().await.unwrap().files {
            let bytes = self.lake.read_file(&file.path).await.unwrap();
            for batch in read_columns(bytes, &["event_id"]).unwrap() {
                ids.extend(batch["event_id"].as_string::<i32>().iter().map(|id| id.unwrap().parse::<Uuid>().unwrap().as_u128()));
            }
        }
        ids.sort_unstable();
        ids
    }

    pub async fn count(&self, table: &str) -> u64 {
        self.database.number(&format!("count() FROM {table}")).await
    }

    /// A statement of somebody else's on the same ClickHouse.
    pub async fn sql(&self, sql: &str) {
        self.database.warehouse.client().query_raw(sql).with_setting("mutations_sync", "1").execute().await.unwrap();
    }
}

/// What a report says of a rule.
pub fn of<'a>(report: &'a RetentionReport, rule: &str) -> &'a Applied {
    report.rules.iter().find(|applied| applied.rule == rule).unwrap_or_else(|| panic!("{rule} is not in {report:?}"))
}
