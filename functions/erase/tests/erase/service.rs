//! Every part with every function that writes to it.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use clickstream_columns::{RawRow, read_parquet, records};
use clickstream_compact::{Compact, CompactRequest};
use clickstream_erase::{Erase, EraseRequest, Receipt, Settles, SignedReceipt, Timing};
use clickstream_erasure::Tombstones;
use clickstream_event::{Event, Micros};
use clickstream_lake::Lake;
use clickstream_land::Land;
use clickstream_load::Load;
use clickstream_log::{Batch, EVENTS, REJECTED, SharedLog, event_record};
use clickstream_objects::{
    Notification, Objects as _,
    embedded::EmbeddedS3,
    s3::{S3Config, S3Objects},
};
use clickstream_settle::Settle;
use clickstream_store::{Person, SharedStore, sqlite::SqliteStore};
use clickstream_store_events::StoreEvents;
use clickstream_testkit::{clickhouse::Database, sample::click};
use clickstream_unspill::Unspill;

pub const NO_WAIT: Timing =
    Timing { stored_within: Duration::ZERO, again_after: Duration::ZERO, settled_within: Duration::from_mins(1), topic_days: (7, 30) };

pub struct Service {
    pub log: SharedLog,
    pub store: SharedStore,
    pub objects: Arc<S3Objects>,
    pub lake: Arc<Lake>,
    pub database: Database,
    pub tombstones: Arc<Tombstones>,
    pub land: Land,
    pub load: Load,
    pub store_events: StoreEvents,
    config: S3Config,
    _s3: Option<EmbeddedS3>,
    folder: tempfile::TempDir,
}

struct Now(Settle);

#[async_trait]
impl Settles for Now {
    async fn settle(&self) -> Result<(), String> {
        self.0.run().await.map(drop).map_err(|e| e.to_string())
    }
}

impl Service {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let s3 = EmbeddedS3::start(&folder.path().join("objects"), "clickstream").await.unwrap();
        Self::start_on(s3.config().clone(), Some(s3), folder).await
    }

    /// On a bucket of `MinIO` that keeps versions.
    pub async fn start_with_versions() -> Self {
        let config = clickstream_testkit::servers::bucket();
        let objects = S3Objects::connect(&config).await;
        objects.make_bucket().await.unwrap();
        objects.keep_versions().await.unwrap();
        Self::start_on(config, None, tempfile::tempdir().unwrap()).await
    }

    async fn start_on(config: S3Config, s3: Option<EmbeddedS3>, folder: tempfile::TempDir) -> Self {
        let log = clickstream_log::connect(&format!("sqlite:{}", folder.path().join("log").display())).await.unwrap();
        let store: SharedStore = Arc::new(SqliteStore::open(&folder.path().join("store")).unwrap());
        let objects = Arc::new(S3Objects::connect(&config).await);
        let lake = Arc::new(Lake::open(&config).await.unwrap());
        let database = Database::create().await;
        let tombstones = Arc::new(Tombstones::new(objects.clone(), None));
        let log_id = log.log_id().await.unwrap();
        Self {
            land: Land::new(objects.clone(), log_id).with_tombstones(tombstones.clone()),
            load: Load::new(objects.clone(), database.warehouse.clone()).with_tombstones(tombstones.clone()),
            store_events: StoreEvents::new(store.clone()).with_tombstones(tombstones.clone()),
            log,
            store,
            objects,
            lake,
            database,
            tombstones,
            config,
            _s3: s3,
            folder,
        }
    }

    /// A process that was just started.
    pub async fn erase(&self) -> Erase {
        let lake = Arc::new(Lake::open(&self.config).await.unwrap());
        let tombstones = Arc::new(Tombstones::new(self.objects.clone(), None));
        let settle = Settle::new(lake.clone(), self.database.warehouse.clone());
        Erase::new(self.log.clone(), self.store.clone(), self.objects.clone(), lake, self.database.warehouse.clone(), tombstones)
            .with_settle(Arc::new(Now(settle)))
            .with_timing(NO_WAIT)
    }

    /// Erases to the end.
    pub async fn erased(&self, request: &EraseRequest) -> Receipt {
        let erase = self.erase().await;
        let erasure = erase.begin(request).await.unwrap();
        let text = erase.run(&erasure.site_id, erasure.erasure_id).await.unwrap();
        assert!(erase.verifies(&text).await.unwrap());
        serde_json::from_str::<SignedReceipt>(&text).unwrap().receipt
    }

    pub async fn log_events(&self, events: &[Event]) {
        self.log.append(EVENTS, events.iter().map(|e| event_record(e).unwrap()).collect()).await.unwrap();
    }

    /// Everything in the log through store, land and load, also what went through before.
    pub async fn work(&self) {
        for topic in [EVENTS, REJECTED] {
            for extent in self.log.extents(topic).await.unwrap() {
                let records = self.log.read(topic, extent.partition, extent.start, 10_000, 64 << 20).await.unwrap();
                if records.is_empty() {
                    continue;
                }
                let batch = Batch { topic: topic.to_owned(), partition: extent.partition, records };
                self.store_events.handle(&batch).await.unwrap();
                if topic == EVENTS {
                    self.land.handle(&batch).await.unwrap();
                }
            }
        }
        self.load_raw().await;
    }

    /// Every raw object announced, again too.
    pub async fn load_raw(&self) {
        for object in self.objects.list("raw/events/", None, 1_000).await.unwrap() {
            let announced = Notification { bucket: "clickstream".to_owned(), key: object.key, etag: object.etag, size: object.size };
            self.load.handle(&announced).await.unwrap();
        }
    }

    pub async fn compaction(&self) -> Compact {
        let lake = Arc::new(Lake::open(&self.config).await.unwrap());
        Compact::new(self.objects.clone(), lake, self.log.log_id().await.unwrap())
    }

    pub async fn compact(&self) {
        self.compaction().await.with_tombstones(self.tombstones.clone()).run(CompactRequest::default()).await.unwrap();
        Settle::new(self.lake.clone(), self.database.warehouse.clone()).run().await.unwrap();
    }

    pub async fn unspill(&self) {
        Unspill::new(self.log.clone(), self.objects.clone()).run().await.unwrap();
    }

    /// How often `id` stands in each place: event store, raw rows, lake rows, what reports show, all that ClickHouse holds.
    pub async fn places(&self, id: &str) -> [u64; 5] {
        let mut stored = 0;
        for person in [Person::User(id.to_owned()), Person::Anonymous(id.to_owned())] {
            stored += self.store.timeline("shop", &person, None, 10_000).await.unwrap().len() as u64;
        }
        let mut raw = 0;
        for object in self.objects.list("raw/events/", None, 1_000).await.unwrap() {
            let (_, bytes) = self.objects.get(&object.key).await.unwrap();
            let rows = read_parquet(bytes).unwrap().iter().flat_map(|b| records(b).unwrap()).collect::<Vec<_>>();
            raw += rows.iter().filter(|r| matches!(&r.row, RawRow::Event(e) if names(e, id))).count() as u64;
        }
        let mut lake = 0;
        for file in self.lake.snapshot().await.unwrap().files {
            lake += rows_in(self.lake.read_file(&file.path).await.unwrap(), id);
        }
        let condition = format!("user_id = '{id}' OR anonymous_id = '{id}'");
        let shown = self.database.number(&format!("count() FROM clicks WHERE {condition}")).await;
        let held = self.database.number(&format!("count() FROM events WHERE {condition}")).await
            + self.database.number(&format!("count() FROM fresh WHERE {condition}")).await;
        [stored, raw, lake, shown, held]
    }

    /// Files that hold `text` byte for byte, of the event store and of the bucket; of Parquet those whose rows do.
    pub fn files_with(&self, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for part in ["store", "objects"] {
            look(&self.folder.path().join(part), text, &mut found);
        }
        found
    }
}

impl Service {
    /// Versions of objects, those that stand among them, that hold `text` byte for byte; of Parquet those whose rows do.
    pub async fn versions_with(&self, text: &str) -> Vec<String> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.objects.versions("", after.as_ref()).await.unwrap();
            for version in page.versions.iter().filter(|version| !version.is_marker) {
                let bytes = self.objects.get_version(&version.key, &version.version_id).await.unwrap();
                if holds(&bytes, text) {
                    found.push(version.key.clone());
                }
            }
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    }
}

fn names(event: &Event, id: &str) -> bool {
    event.user_id.as_deref() == Some(id) || event.anonymous_id.as_deref() == Some(id)
}

fn rows_in(parquet: bytes::Bytes, id: &str) -> u64 {
    use arrow::array::AsArray as _;
    let mut rows = 0;
    for batch in read_parquet(parquet).unwrap() {
        let column = |name| arrow::compute::cast(batch.column_by_name(name).unwrap(), &arrow::datatypes::DataType::Utf8).unwrap();
        let (users, visitors) = (column("user_id"), column("anonymous_id"));
        let is = |value: Option<&str>| value == Some(id);
        rows += users.as_string::<i32>().iter().zip(visitors.as_string::<i32>()).filter(|(u, v)| is(*u) || is(*v)).count();
    }
    rows as u64
}

fn holds(bytes: &bytes::Bytes, text: &str) -> bool {
    let plain = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let unpacked = bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]).then(|| zstd::decode_all(&bytes[..]).unwrap());
    plain(bytes) || unpacked.is_some_and(|bytes| plain(&bytes)) || (bytes.starts_with(b"PAR1") && rows_in(bytes.clone(), text) > 0)
}

fn look(folder: &Path, text: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            look(&entry, text, found);
            continue;
        }
        let bytes = std::fs::read(&entry).unwrap();
        if holds(&bytes.into(), text) {
            found.push(entry.display().to_string());
        }
    }
}

/// The click `id` of a user and from an anonymous id, so many seconds after the beginning.
pub fn by(id: u128, user: Option<&str>, anonymous: Option<&str>, seconds: i64) -> Event {
    Event { user_id: user.map(str::to_owned), anonymous_id: anonymous.map(str::to_owned), ..click(id, seconds) }
}

/// The same, of just now.
pub fn just_now(id: u128, user: &str) -> Event {
    let at = Micros::now().plus(1_000);
    Event { original_at: at, occurred_at: at, received_at: at, ..by(id, Some(user), None, 0) }
}

pub fn user(id: &str) -> EraseRequest {
    EraseRequest { site: "shop".to_owned(), user_id: Some(id.to_owned()), anonymous_id: None }
}
