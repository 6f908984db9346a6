//! The table's log: checkpoints, and what may go once one stands for it.

use std::sync::atomic::Ordering;

use clickstream_event::Micros;
use clickstream_lake::{Lake, LakeError, Rewrite, Snapshot, Vacuum, Vacuumed};
use clickstream_testkit::sample::click;

use crate::{between::Between, service::Service};

/// Versions that bring nothing, up to `version`.
async fn up_to(lake: &Lake, version: u64) -> Snapshot {
    loop {
        let snapshot = lake.snapshot().await.unwrap();
        if snapshot.version >= version {
            return snapshot;
        }
        lake.rewrite(&snapshot, &Rewrite::default()).await.unwrap();
    }
}

async fn vacuum(lake: &Lake, settled: u64) -> Vacuumed {
    lake.vacuum(&Vacuum::older_than(Some(settled), Micros::now().plus(Micros::HOUR))).await.unwrap()
}

/// Versions whose commit files stand.
async fn commits(service: &Service) -> Vec<u64> {
    let keys = service.bucket.keys("lake/events/_delta_log/").await;
    keys.iter().filter_map(|key| key.rsplit('/').next()?.strip_suffix(".json")?.parse().ok()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn commit_files_go_below_a_settled_checkpoint_and_readers_begin_there() {
    let service = Service::start().await;
    service.files_of(0, &[vec![click(1, 0)], vec![click(2, 0)]]).await;
    // Handles of other processes: one that saw version 2, and one that will have seen 30.
    let (early, snapshot_of_2) = (service.other_lake().await, service.snapshot().await);
    assert_eq!(early.snapshot().await.unwrap().version, 2);
    up_to(&service.lake, 30).await;
    let middle = service.other_lake().await;
    up_to(&service.lake, 45).await;

    assert_eq!(vacuum(&service.lake, 19).await.log_files, Vec::<String>::new());
    let young = Vacuum::older_than(Some(45), Micros::now().plus(-Micros::HOUR));
    assert_eq!(service.lake.vacuum(&young).await.unwrap().log_files, Vec::<String>::new());
    assert_eq!(vacuum(&service.lake, 39).await.log_files.len(), 20);
    assert_eq!(commits(&service).await, (20..=45).collect::<Vec<_>>());

    for lake in [&early, &middle, &service.lake, &service.other_lake().await] {
        let snapshot = lake.snapshot().await.unwrap();
        assert_eq!((snapshot.version, &snapshot.watermarks), (45, &snapshot_of_2.watermarks));
        assert_eq!(snapshot.files, service.snapshot().await.files);
        assert_eq!(lake.newest_watermarks().await.unwrap(), snapshot.watermarks);
    }
    assert_eq!(service.ids().await, [1, 2]);
    // What is not settled is still there to be read, with its watermarks.
    let versions = service.lake.versions(40, 45).await.unwrap();
    assert!(versions.iter().all(|v| v.watermarks == snapshot_of_2.watermarks), "{versions:?}");
    let error = service.lake.versions(19, 20).await.unwrap_err().to_string();
    assert!(error.contains("version 19"), "{error}");

    // The next checkpoint stands for the rest, older checkpoints included.
    let removed = vacuum(&service.lake, 45).await.log_files;
    assert!(removed.iter().any(|path| path.ends_with("00000000000000000020.checkpoint.parquet")), "{removed:?}");
    assert_eq!(commits(&service).await, (40..=45).collect::<Vec<_>>());
    assert_eq!(vacuum(&service.lake, 45).await.log_files, Vec::<String>::new());
    let anew = service.other_lake().await;
    assert_eq!(anew.snapshot().await.unwrap().watermarks, snapshot_of_2.watermarks);
    // Appends go on, and the log goes on from there.
    service.land(0, 2, &[click(2, 0), click(3, 0)]).await;
    let report = service.run().await;
    assert_eq!((report.rows, report.duplicates, report.version), (1, 1, 46));
    up_to(&early, 62).await;
    assert_eq!(vacuum(&early, 62).await.version, 62);
    assert_eq!(commits(&service).await, (60..=62).collect::<Vec<_>>());
    assert_eq!(service.ids().await, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_slept_past_a_clean_up_has_lost() {
    let service = Service::start().await;
    service.files_of(0, &[vec![click(1, 0)]]).await;
    let slept = service.snapshot().await;
    up_to(&service.lake, 25).await;
    vacuum(&service.lake, 25).await;
    // Its place is free again; were it taken, no reader would see it.
    let removed = slept.files.clone();
    let error = service.lake.rewrite(&slept, &Rewrite { removed, ..Rewrite::default() }).await.unwrap_err();
    assert!(matches!(error, LakeError::Lost(2)), "{error}");
    assert_eq!(commits(&service).await, (20..=25).collect::<Vec<_>>());
    assert_eq!(service.ids().await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_checkpoint_stands_for_nothing() {
    let service = Service::start().await;
    service.files_of(0, &[vec![click(1, 0)]]).await;
    up_to(&service.lake, 22).await;
    service.bucket.put("lake/events/_delta_log/00000000000000000020.checkpoint.parquet", "PAR1 and no more").await;
    let settled = Vacuum::older_than(Some(22), Micros::now().plus(Micros::HOUR));
    service.lake.vacuum(&settled).await.unwrap_err();
    assert_eq!(commits(&service).await, (0..=22).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_was_lost_finds_itself_and_has_not_lost() {
    let (between, through, direct) = Between::lakes().await;
    let snapshot = through.snapshot().await.unwrap();
    between.repeats.store(true, Ordering::SeqCst);
    assert_eq!(through.rewrite(&snapshot, &Rewrite::default()).await.unwrap(), 1);
    // Another one that says the same is another one.
    let error = direct.rewrite(&snapshot, &Rewrite::default()).await.unwrap_err();
    assert!(matches!(error, LakeError::Lost(1)), "{error}");
}
