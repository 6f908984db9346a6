//! A lake, raw objects and ClickHouse with events as an earlier version left them.

use std::sync::Arc;

use async_trait::async_trait;
use clickstream_columns::{PlacedEvent, placed_events, read_parquet};
use clickstream_compact::{Compact, CompactRequest};
use clickstream_event::{AgentSays, DeviceType, Event, Site, Sites, Verdict, rederive};
use clickstream_lake::Lake;
use clickstream_log::SharedLog;
use clickstream_replay::{DayReport, Replay, ReplayError, ReplayReport, ReplayRequest, ReplaySource, Settles};
use clickstream_settle::Settle;
use clickstream_testkit::{
    clickhouse::Database,
    s3::Bucket,
    sample::{click, rows},
};

pub const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
/// The day of the samples, and the one after.
pub const DAY: &str = "2026-11-24";
pub const NEXT: &str = "2026-11-25";

/// The click `id` as a version left it that did not know its user agent, nor what of an address may be kept.
pub fn older(id: u128, seconds: i64) -> Event {
    Event {
        device_type: DeviceType::Unknown,
        user_agent: Some(IPHONE.to_owned()),
        url: Some("https://shop.example/cart?email=x%40y&utm_source=news".to_owned()),
        verdict: Verdict::Suspicious,
        warnings: vec!["device_unknown".to_owned()],
        ..click(id, seconds)
    }
}

/// The same by the rules of now.
pub fn newer(event: &Event) -> Event {
    let now = rederive(event, Some(&Site::new("shop", "k")), AgentSays::Fills);
    assert_eq!((now.device_type, now.os.as_deref(), now.verdict), (DeviceType::Mobile, Some("iOS"), Verdict::Valid));
    assert_eq!((now.path.as_deref(), now.utm_source.as_deref()), (Some("/cart"), Some("news")));
    now
}

pub struct Scene {
    pub bucket: Bucket,
    pub lake: Arc<Lake>,
    pub database: Database,
    log: SharedLog,
    _folder: tempfile::TempDir,
}

struct Now(Settle);

#[async_trait]
impl Settles for Now {
    async fn settle(&self) -> Result<(), String> {
        self.0.run().await.map(drop).map_err(|e| e.to_string())
    }
}

impl Scene {
    pub async fn start() -> Self {
        let bucket = Bucket::start().await;
        let lake = Arc::new(Lake::open(bucket.config()).await.unwrap());
        Self::on(bucket, lake).await
    }

    /// On a lake that stands elsewhere.
    pub async fn on(bucket: Bucket, lake: Arc<Lake>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = clickstream_log::connect(&format!("sqlite:{}", folder.path().display())).await.unwrap();
        Self { bucket, lake, database: Database::create().await, log, _folder: folder }
    }

    /// Lands events of a partition from offset `first` on, compacts and settles.
    pub async fn take(&self, partition: u32, first: u64, events: &[Event]) {
        self.bucket.land("l", partition, &rows(first, events)).await;
        self.compact().await;
        self.settle().await;
    }

    pub async fn compact(&self) {
        compact(&self.bucket, &self.lake).await;
    }

    pub async fn settle(&self) {
        Settle::new(Arc::clone(&self.lake), self.database.warehouse.clone()).run().await.unwrap();
    }

    /// A replay of a process that was just started; what it computes is not settled.
    pub fn replay(&self) -> Replay {
        let sites = Sites::new(vec![Site::new("shop", "k"), Site::new("blog", "b")]);
        let replay = Replay::new(self.log.clone(), self.bucket.objects.clone(), self.database.warehouse.clone(), sites);
        replay.with_lake(Arc::clone(&self.lake), 64 << 20)
    }

    /// Plays days, and settles them.
    pub async fn days(&self, from: &str, to: &str, dry_run: bool) -> ReplayReport {
        self.asked(&ReplayRequest { dry_run, ..days(from, to) }).await.unwrap()
    }

    pub async fn asked(&self, request: &ReplayRequest) -> Result<ReplayReport, ReplayError> {
        let settle = Settle::new(Arc::clone(&self.lake), self.database.warehouse.clone());
        self.replay().with_settle(Arc::new(Now(settle))).run(request.clone()).await
    }

    /// Every row of the lake, by id.
    pub async fn rows(&self) -> Vec<PlacedEvent> {
        let mut rows = Vec::new();
        for file in self.lake.snapshot().await.unwrap().files {
            for batch in read_parquet(self.lake.read_file(&file.path).await.unwrap()).unwrap() {
                rows.extend(placed_events(&batch).unwrap());
            }
        }
        rows.sort_by_key(|row| (row.event.event_id, row.event.site_id.clone()));
        rows
    }

    pub async fn events(&self) -> Vec<Event> {
        self.rows().await.into_iter().map(|row| row.event).collect()
    }

    /// What readers see: rows, different events, events of phones.
    pub async fn seen(&self) -> (u64, u64, u64) {
        let sql = "SELECT count(), uniqExact(site_id, event_id), countIf(device_type = 'mobile') FROM clicks";
        self.database.warehouse.client().query(sql).fetch_one().await.unwrap()
    }

    pub async fn devices(&self) -> Vec<String> {
        let sql = "SELECT concat(toString(day), ' ', device_type, ' ', toString(events)) FROM device_daily ORDER BY ALL";
        self.database.warehouse.client().query(sql).fetch_all().await.unwrap()
    }

    pub async fn version(&self) -> u64 {
        self.lake.snapshot().await.unwrap().version
    }
}

pub async fn compact(bucket: &Bucket, lake: &Arc<Lake>) {
    let compact = Compact::new(bucket.objects.clone(), Arc::clone(lake), "l".to_owned());
    compact.run(CompactRequest::default()).await.unwrap();
}

/// The days `from..=to`.
pub fn days(from: &str, to: &str) -> ReplayRequest {
    ReplayRequest::new(ReplaySource::Days { from_day: from.parse().unwrap(), to_day: to.parse().unwrap() })
}

/// What a dry run tells of a day that a run changed.
pub fn told(done: &DayReport) -> DayReport {
    DayReport { version: None, load_id: None, ..done.clone() }
}
