//! Other engines read the lake as it is: delta-rs and Polars in Python, and ClickHouse.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{AsArray as _, BooleanArray, RecordBatch, new_null_array},
    compute::filter_record_batch,
};
use clickstream_columns::{LakePart, TimedFile, raw_schema, read_parquet, records, write_lake_file, write_lake_part};
use clickstream_compact::{Compact, CompactRequest, LakeSettings, Merge};
use clickstream_event::{Event, Micros};
use clickstream_lake::{ErasedRow, Lake, Replay, Rewrite, Vacuum, day_of, moments_of};
use clickstream_testkit::{clickhouse::Database, s3::Bucket, sample};
use serde::Deserialize;
use uuid::Uuid;

/// A lake with its bucket.
struct Scene {
    bucket: Bucket,
    lake: Arc<Lake>,
    clickhouse: Database,
}

/// What is in the lake, as one reader sees it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Seen {
    rows: u64,
    ids: Vec<String>,
    offsets: i64,
    sites: BTreeMap<String, u64>,
    warnings: u64,
    first: i64,
    last: i64,
}

/// What `engines.py` prints.
#[derive(Debug, Deserialize)]
struct Others {
    version: u64,
    files: u64,
    rows_by_statistics: u64,
    last_hour: u64,
    engines: BTreeMap<String, Seen>,
}

fn event(n: u128) -> Event {
    let site = ["shop", "blog", "docs"][n as usize % 3].to_owned();
    let warnings = if n.is_multiple_of(5) { vec!["bad_ip".to_owned(), "clock_skew".to_owned()] } else { Vec::new() };
    // Some are a day late.
    let seconds = (n as i64 * 37) % 7_200 - if n.is_multiple_of(11) { 86_400 } else { 0 };
    Event { site_id: site, warnings, ..sample::click(n, seconds) }
}

impl Scene {
    async fn start() -> Self {
        let bucket = Bucket::start().await;
        let lake = Arc::new(Lake::open(bucket.config()).await.unwrap());
        Self { bucket, lake, clickhouse: Database::create().await }
    }

    /// Lands events and appends them to the lake.
    async fn append(&self, batches: std::ops::Range<u64>) {
        let compact = Compact::new(self.bucket.objects.clone(), Arc::clone(&self.lake), "l".to_owned());
        for batch in batches {
            let events: Vec<_> = (0..40).map(|n| event(u128::from(batch * 40 + n))).collect();
            self.bucket.land("l", 0, &sample::rows(batch * 40, &events)).await;
            compact.run(CompactRequest::default()).await.unwrap();
        }
    }

    /// What we read ourselves, file by file.
    async fn seen(&self) -> Seen {
        let mut rows = Vec::new();
        for file in self.lake.snapshot().await.unwrap().files {
            let mut count = 0;
            for batch in read_parquet(self.lake.read_file(&file.path).await.unwrap()).unwrap() {
                count += batch.num_rows() as u64;
                rows.extend(rows_of(&batch));
            }
            assert_eq!(count, file.rows, "{}", file.path);
        }
        let mut sites = BTreeMap::new();
        rows.iter().for_each(|(_, event)| *sites.entry(event.site_id.clone()).or_default() += 1);
        let mut ids: Vec<_> = rows.iter().map(|(_, event)| event.event_id.to_string()).collect();
        ids.sort();
        let times = || rows.iter().map(|(_, event)| event.original_at.0);
        Seen {
            rows: rows.len() as u64,
            ids,
            offsets: rows.iter().map(|(offset, _)| offset).sum(),
            sites,
            warnings: rows.iter().map(|(_, event)| event.warnings.len() as u64).sum(),
            first: times().min().unwrap(),
            last: times().max().unwrap(),
        }
    }

    async fn others(&self) -> Others {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = std::env::var_os("PYTHON").map_or_else(|| here.join("../../target/venv/bin/python"), PathBuf::from);
        let config = self.bucket.config();
        let mut command = tokio::process::Command::new(&python);
        command.arg(here.join("engines.py")).arg(format!("s3://{}/lake/events", config.bucket));
        command.env("AWS_ENDPOINT_URL", config.endpoint.as_deref().unwrap()).env("AWS_REGION", &config.region);
        command.envs(self.bucket.environment().into_iter().filter(|(name, _)| name.starts_with("AWS_")));
        let output = command.output().await.unwrap_or_else(|e| panic!("{} does not start ({e}): make e2e installs it", python.display()));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What ClickHouse reads by its table function: rows, the sum of offsets, and a hash of the ids.
    async fn by_clickhouse(&self) -> (u64, i64, u64) {
        let config = self.bucket.config();
        let table = format!("deltaLake('{}/{}/lake/events/', ?, ?)", config.endpoint.as_deref().unwrap(), config.bucket);
        let sql = format!("SELECT count(), sum(assumeNotNull(log_offset)), sum(cityHash64(assumeNotNull(event_id))) FROM {table}");
        let [_, (_, key), (_, secret)] = self.bucket.environment();
        self.clickhouse.warehouse.client().query(&sql).bind(key).bind(secret).fetch_one().await.unwrap()
    }

    /// Every reader sees the same, and what the log says of it is right.
    async fn all_agree(&self, step: &str) -> Seen {
        let ours = self.seen().await;
        let snapshot = self.lake.snapshot().await.unwrap();
        let others = self.others().await;
        assert_eq!((others.version, others.files), (snapshot.version, snapshot.files.len() as u64), "{step}");
        assert_eq!(others.rows_by_statistics, ours.rows, "{step}");
        assert_eq!(others.engines.keys().collect::<Vec<_>>(), ["delta-rs", "polars"]);
        for (engine, seen) in &others.engines {
            assert_eq!(seen, &ours, "{engine}, {step}");
        }
        assert!(others.last_hour > 0 && others.last_hour < ours.rows, "{step}: {} in the last hour", others.last_hour);
        let list = ours.ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
        let hash = self.clickhouse.number(&format!("sum(cityHash64(arrayJoin([{list}])))")).await;
        assert_eq!(self.by_clickhouse().await, (ours.rows, ours.offsets, hash), "ClickHouse, {step}");
        ours
    }

    /// Takes the rows of a site out of the first file that has some.
    async fn erase(&self, site: &str) -> String {
        let snapshot = self.lake.snapshot().await.unwrap();
        let file = &snapshot.files[0];
        let (mut kept, mut erased) = (Vec::new(), Vec::new());
        for batch in read_parquet(self.lake.read_file(&file.path).await.unwrap()).unwrap() {
            let stays: BooleanArray = batch["site_id"].as_string::<i32>().iter().map(|s| Some(s != Some(site))).collect();
            kept.push(filter_record_batch(&batch, &stays).unwrap());
            for (_, event) in rows_of(&batch).into_iter().filter(|(_, event)| event.site_id == site) {
                erased.push(ErasedRow { site_id: event.site_id, event_id: event.event_id, occurred_at: event.occurred_at });
            }
        }
        let rows: u64 = kept.iter().map(|b| b.num_rows() as u64).sum();
        assert!(rows > 0 && !erased.is_empty());
        let range = (file.original_at_min, file.original_at_max);
        let bytes = write_lake_file(kept.into_iter().map(Ok)).unwrap();
        let added = vec![self.lake.write_file(bytes, rows, range, range).await.unwrap()];
        let list = self.lake.write_erased(&erased).await.unwrap();
        let rewrite = Rewrite { removed: vec![file.clone()], added, erased: Some(list) };
        self.lake.rewrite(&snapshot, &rewrite).await.unwrap();
        file.path.clone()
    }

    /// Puts a day in place as a replay does: its rows in one file, the other rows of its files in another.
    async fn replay(&self) {
        let snapshot = self.lake.snapshot().await.unwrap();
        let day = day_of(sample::BEGIN).unwrap();
        let (from, to) = moments_of(day);
        let holds = |time: i64| (from.0..to.0).contains(&time);
        let mut files = Vec::new();
        for file in &snapshot.files {
            files.push(TimedFile::read(self.lake.read_file(&file.path).await.unwrap()).unwrap());
        }
        let write = async |part: LakePart| self.lake.write_file(part.bytes, part.rows, part.original_at, part.occurred_at).await.unwrap();
        let added = vec![write(write_lake_part(&files, holds).unwrap()).await];
        let moved = vec![write(write_lake_part(&files, |time| !holds(time)).unwrap()).await];
        let replay = Replay { day, removed: snapshot.files.clone(), added, moved, happened_on: [day].into(), ..Replay::default() };
        self.lake.replay(&snapshot, &replay).await.unwrap();
    }
}

/// The events of a lake's batch with their offsets.
fn rows_of(batch: &RecordBatch) -> Vec<(i64, Event)> {
    // The lake's columns are those of a raw object without dead letters.
    let schema = raw_schema();
    let dead = new_null_array(schema.fields()[schema.fields().len() - 1].data_type(), batch.num_rows());
    let columns = batch.columns().iter().cloned().chain([dead]).collect();
    let batch = RecordBatch::try_new(schema, columns).unwrap();
    let logged = records(&batch).unwrap().into_iter().map(|r| r.logged().unwrap());
    logged.map(|l| (l.log_offset.cast_signed(), l.event)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn other_engines_read_what_we_read_after_appends_merges_an_erasure_a_replay_and_a_vacuum() {
    let scene = Scene::start().await;
    scene.append(0..6).await;
    let appended = scene.all_agree("after appends").await;
    assert_eq!((appended.rows, &appended.ids[7]), (240, &Uuid::from_u128(7).to_string()));

    let report = Merge::new(Arc::clone(&scene.lake), LakeSettings::default()).run().await.unwrap();
    assert!(report.merges > 0 && report.files > report.into, "{report:?}");
    scene.append(6..8).await;
    let old = scene.erase("blog").await;
    let erased = scene.all_agree("after a merge, appends and an erasure").await;
    assert!(erased.rows < 320 && erased.sites["shop"] == 107, "{erased:?}");

    scene.replay().await;
    assert_eq!(scene.all_agree("after a replay of a day").await, erased);

    // Past a checkpoint, with everything that is not needed gone.
    while scene.lake.snapshot().await.unwrap().version < 22 {
        scene.lake.rewrite(&scene.lake.snapshot().await.unwrap(), &Rewrite::default()).await.unwrap();
    }
    let vacuum = Vacuum::older_than(Some(22), Micros::now().plus(Micros::HOUR));
    let removed = scene.lake.vacuum(&vacuum).await.unwrap();
    assert!(removed.files.contains(&old) && removed.log_files.len() == 20, "{removed:?}");
    assert_eq!(scene.all_agree("after a vacuum").await, erased);
    scene.append(8..9).await;
    assert_eq!(scene.all_agree("after an append on what is left").await.rows, erased.rows + 40);
}
