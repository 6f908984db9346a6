//! Small files put together: the same rows, whatever happens meanwhile.

use std::sync::Arc;

use arrow::{array::AsArray as _, datatypes::TimestampMicrosecondType};
use clickstream_columns::read_columns;
use clickstream_compact::{Compact, CompactRequest, LakeSettings, Merge};
use clickstream_event::{Event, Micros};
use clickstream_lake::{Change, Lake, LakeFile, Rewrite};
use clickstream_testkit::{
    s3::Bucket,
    sample::{BEGIN, click, rows},
};

use crate::{
    between::Between,
    service::{Service, rows_of},
};

const DAY: i64 = 86_400;

fn on(site: &str, event: Event) -> Event {
    Event { site_id: site.to_owned(), ..event }
}

fn merge(lake: &Arc<Lake>) -> Merge {
    Merge::new(Arc::clone(lake), LakeSettings::default())
}

/// Site and time of every row of a file, in its order.
async fn order_of(lake: &Lake, file: &LakeFile) -> Vec<(String, i64)> {
    let bytes = lake.read_file(&file.path).await.unwrap();
    let mut rows = Vec::new();
    for batch in read_columns(bytes, &["site_id", "original_at"]).unwrap() {
        let sites = batch["site_id"].as_string::<i32>().iter().map(|site| site.unwrap().to_owned());
        rows.extend(sites.zip(batch["original_at"].as_primitive::<TimestampMicrosecondType>().values().iter().copied()));
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn small_files_become_one_with_the_same_rows_in_order() {
    let service = Service::start().await;
    let batch = |n: i64| {
        let id = |k: i64| u128::from((n * 10 + k).cast_unsigned());
        vec![on("b", click(id(0), 50 - n)), on("a", click(id(1), n)), on("a", click(id(2), 3_600 - n)), on("c", click(id(3), n % 2))]
    };
    service.files_of(0, &(0..9).map(batch).collect::<Vec<_>>()).await;
    let (before, ids) = (service.snapshot().await, service.rows().await);
    assert_eq!((before.files.len(), before.version), (9, 9));

    let report = merge(&service.lake).run().await.unwrap();
    assert_eq!((report.merges, report.files, report.into, report.rows, report.version), (1, 9, 1, 36, 10));
    let after = service.snapshot().await;
    assert_eq!((after.version, &after.watermarks), (10, &before.watermarks));
    assert_eq!(service.rows().await, ids);
    let [file] = &after.files[..] else { panic!("{:?}", after.files) };
    assert_eq!((file.rows, file.original_at_min, file.original_at_max), (36, BEGIN, BEGIN.plus(3_600 * Micros::SECOND)));
    let order = order_of(&service.lake, file).await;
    assert!(order.is_sorted() && order.len() == 36, "{order:?}");
    let [.., version] = &service.lake.versions(1, 10).await.unwrap()[..] else { panic!() };
    assert_eq!((&version.change, &version.watermarks), (&Change::Rewrite, &before.watermarks));

    // What is merged is left alone, and known to compaction.
    assert_eq!(merge(&service.other_lake().await).run().await.unwrap().merges, 0);
    service.land(1, 0, &[on("b", click(0, 50)), click(900, 0)]).await;
    let report = service.run().await;
    assert_eq!((report.rows, report.duplicates), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn late_rows_are_taken_out_of_the_files_of_their_day() {
    let service = Service::start().await;
    let batch = |n: u128| (0..20).map(|k| click(n * 100 + k, k as i64)).chain([click(n * 100 + 50, -(n as i64 + 1) * DAY)]).collect();
    service.files_of(0, &(0..4).map(batch).collect::<Vec<_>>()).await;
    let ids = service.rows().await;
    let report = merge(&service.lake).run().await.unwrap();
    assert_eq!((report.merges, report.files, report.into), (1, 4, 2));
    let mut files = service.snapshot().await.files;
    files.sort_by_key(|f| f.original_at_min);
    let days = |f: &LakeFile| (f.original_at_min.0.div_euclid(Micros::DAY), f.original_at_max.0.div_euclid(Micros::DAY), f.rows);
    let day = BEGIN.0.div_euclid(Micros::DAY);
    assert_eq!(files.iter().map(days).collect::<Vec<_>>(), [(day - 4, day - 1, 4), (day, day, 80)]);
    assert_eq!(service.rows().await, ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_get_as_large_as_the_setting_says_and_are_then_left_alone() {
    let service = Service::start().await;
    let batch = |n: u128| (0..2_000).map(|k| click(n * 10_000 + k, (n * 100 + k / 20) as i64)).collect::<Vec<_>>();
    service.files_of(0, &(0..6).map(batch).collect::<Vec<_>>()).await;
    let ids = service.rows().await;
    let largest = service.snapshot().await.files.iter().map(|f| f.size).max().unwrap();
    // Two of the files fit a target, and four of them fit in memory.
    let settings = LakeSettings { target: largest * 5 / 2, memory: largest * 9, ..LakeSettings::default() };
    let merging = Merge::new(service.other_lake().await, settings);
    let report = merging.run().await.unwrap();
    assert!(report.merges >= 1, "{report:?}");
    let files = service.snapshot().await.files;
    assert!(files.len() < 6 && files.iter().all(|f| f.size <= settings.target), "{files:?}");
    assert_eq!(merging.run().await.unwrap().merges, 0);
    assert_eq!(service.rows().await, ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_time_is_over_begins_nothing_and_says_that_there_is_more() {
    let service = Service::start().await;
    service.files_of(0, &[vec![click(1, 0)], vec![click(2, 0)]]).await;
    let merging = merge(&service.lake);
    let report = merging.run_within(std::time::Duration::ZERO).await.unwrap();
    assert_eq!((report.merges, report.more, report.version), (0, true, 2));
    let report = merging.run().await.unwrap();
    assert_eq!((report.merges, report.more, report.version), (1, false, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_other_rows_than_the_log_says_is_named_and_stays() {
    let service = Service::start().await;
    service.files_of(0, &[vec![click(1, 0)], vec![click(2, 0), click(3, 0)]]).await;
    let snapshot = service.snapshot().await;
    let (one, two) = (&snapshot.files[0], &snapshot.files[1]);
    let bytes = service.lake.read_file(&one.path).await.unwrap();
    service.bucket.put(&format!("lake/events/{}", two.path), bytes).await;
    let error = merge(&service.lake).run().await.unwrap_err().to_string();
    assert!(error.contains(&two.path) && error.contains("the log says"), "{error}");
    assert_eq!(service.snapshot().await.files, snapshot.files);
}

/// A bucket with raw objects, and a lake that others change in between.
struct Scene {
    bucket: Bucket,
    between: Arc<Between>,
    through: Arc<Lake>,
    direct: Arc<Lake>,
}

impl Scene {
    /// Three files of one row each.
    async fn start() -> Self {
        let (between, through, direct) = Between::lakes().await;
        let scene = Self { bucket: Bucket::start().await, between, through, direct };
        for n in 0..3 {
            scene.append(n).await;
        }
        scene
    }

    async fn append(&self, n: u64) {
        self.bucket.land("l", 0, &rows(n, &[click(u128::from(n), 0)])).await;
        self.compaction().run(CompactRequest::default()).await.unwrap();
    }

    fn compaction(&self) -> Compact {
        Compact::new(self.bucket.objects.clone(), Arc::clone(&self.direct), "l".to_owned())
    }

    async fn ids(&self) -> Vec<u128> {
        rows_of(&self.direct).await.into_iter().map(|(id, ..)| id).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_in_between_does_not_cost_the_merge() {
    let scene = Scene::start().await;
    scene.bucket.land("l", 0, &rows(3, &[click(3, 0)])).await;
    let compaction = scene.compaction();
    scene.between.before_commit(async move {
        compaction.run(CompactRequest::default()).await.unwrap();
        true
    });
    let report = merge(&scene.through).run().await.unwrap();
    // The merge of the three, then that of the result with the append.
    assert_eq!((report.merges, report.given_up, report.files, report.version), (2, 0, 5, 6));
    let changes: Vec<_> = scene.direct.versions(4, 6).await.unwrap().into_iter().map(|v| v.change).collect();
    assert!(matches!(&changes[..], [Change::Append(_), Change::Rewrite, Change::Rewrite]), "{changes:?}");
    assert_eq!(scene.ids().await, [0, 1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_in_between_is_not_undone() {
    let scene = Scene::start().await;
    let direct = Arc::clone(&scene.direct);
    scene.between.before_commit(async move {
        let snapshot = direct.snapshot().await.unwrap();
        let erased = Some(direct.write_erased(&[]).await.unwrap());
        let removed = vec![snapshot.files[0].clone()];
        direct.rewrite(&snapshot, &Rewrite { removed, added: Vec::new(), erased }).await.unwrap();
        true
    });
    let report = merge(&scene.through).run().await.unwrap();
    assert_eq!((report.merges, report.given_up, report.files), (1, 1, 2));
    assert_eq!(scene.ids().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_merges_at_once_one_comes_to_nothing() {
    let scene = Scene::start().await;
    let other = merge(&scene.direct);
    scene.between.before_commit(async move {
        assert_eq!(other.run().await.unwrap().merges, 1);
        true
    });
    let report = merge(&scene.through).run().await.unwrap();
    assert_eq!((report.merges, report.given_up, report.version), (0, 1, 4));
    assert_eq!(scene.ids().await, [0, 1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_dies_before_its_commit_leaves_the_table_as_it_was() {
    let scene = Scene::start().await;
    scene.between.before_commit(async { false });
    merge(&scene.through).run().await.unwrap_err();
    assert_eq!((scene.direct.snapshot().await.unwrap().version, scene.ids().await), (3, vec![0, 1, 2]));
    let report = merge(&scene.through).run().await.unwrap();
    assert_eq!((report.merges, report.version, scene.ids().await), (1, 4, vec![0, 1, 2]));
}
