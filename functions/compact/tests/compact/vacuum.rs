//! What vacuum removes, and what it never does.

use std::sync::Arc;

use clickstream_compact::{CompactError, CompactRequest, LakeSettings, Merge, VacuumRequest};
use clickstream_event::Micros;
use clickstream_lake::{ErasedRow, LakeError, Rewrite, Vacuum};
use clickstream_testkit::sample::click;
use uuid::Uuid;

use crate::service::Service;

/// A moment after everything that was written.
fn later() -> Micros {
    Micros::now().plus(Micros::HOUR)
}

/// Three files, merged into a fourth as version 4.
async fn merged() -> (Service, Vec<String>) {
    let service = Service::start().await;
    service.files_of(0, &[vec![click(1, 0)], vec![click(2, 0)], vec![click(3, 0)]]).await;
    let old = service.snapshot().await.files.into_iter().map(|f| f.path).collect();
    Merge::new(Arc::clone(&service.lake), LakeSettings::default()).run().await.unwrap();
    (service, old)
}

impl Service {
    /// The files of the table and its lists, by path, in order.
    async fn stored(&self) -> Vec<String> {
        let keys = self.bucket.keys("lake/events/").await;
        let paths = keys.into_iter().map(|key| key["lake/events/".len()..].to_owned());
        paths.filter(|path| !path.starts_with("_delta_log")).collect()
    }

    async fn live(&self) -> Vec<String> {
        let mut live: Vec<_> = self.snapshot().await.files.into_iter().map(|f| f.path).collect();
        live.sort();
        live
    }
}

fn sorted(mut paths: Vec<String>) -> Vec<String> {
    paths.sort();
    paths
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_once_their_removal_is_settled_and_long_ago() {
    let (service, old) = merged().await;
    let (old, lake) = (sorted(old), &service.lake);
    // Not settled, or too young.
    for vacuum in [
        Vacuum::older_than(None, later()),
        Vacuum::older_than(Some(3), later()),
        Vacuum::older_than(Some(4), Micros::now().plus(-Micros::HOUR)),
    ] {
        assert_eq!(lake.vacuum(&vacuum).await.unwrap().files, Vec::<String>::new(), "{vacuum:?}");
    }
    let vacuum = Vacuum::older_than(Some(4), later());
    let would = lake.vacuum(&vacuum.clone().dry_run()).await.unwrap();
    assert_eq!((sorted(would.files.clone()), service.stored().await.len()), (old.clone(), 4));
    assert!(would.bytes > 0 && would.version == 4 && would.log_files.is_empty(), "{would:?}");
    assert_eq!(lake.vacuum(&vacuum).await.unwrap(), would);
    assert_eq!(service.stored().await, service.live().await);
    assert_eq!(lake.vacuum(&vacuum).await.unwrap().files, Vec::<String>::new());
    assert_eq!(service.ids().await, [1, 2, 3]);
    // Who still holds an old file's name learns that there is another version.
    let error = lake.read_file(&old[0]).await.unwrap_err();
    assert!(matches!(&error, LakeError::Gone { path, version: 4 } if *path == old[0]), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_a_commit_that_lost_goes_after_a_time() {
    let service = Service::start().await;
    service.land(0, 0, &[click(1, 0), click(2, 0)]).await;
    let (a, b) = (service.compaction().await, service.compaction().await);
    // Both write their file before either commits, or else the second finds nothing to do.
    let (a, b) = tokio::join!(a.run(CompactRequest::default()), b.run(CompactRequest::default()));
    assert_eq!(a.unwrap().rows + b.unwrap().rows, 2);
    let orphan = service.lake.write_file("of a commit that lost".into(), 1, (Micros(0), Micros(0)), (Micros(0), Micros(0))).await.unwrap();
    service.lake.write_erased(&[]).await.unwrap();
    service.bucket.put("lake/events/_other/hidden", "not ours").await;
    let young = VacuumRequest { settled_version: Some(1), ..VacuumRequest::default() };
    let settings = LakeSettings::default();
    assert_eq!(young.run(&service.lake, &settings).await.unwrap().files, Vec::<String>::new());
    let removed = service.lake.vacuum(&Vacuum::older_than(None, later())).await.unwrap();
    assert!(removed.files.contains(&orphan.file.path) && removed.files.iter().any(|f| f.starts_with("_erased/")), "{removed:?}");
    assert_eq!(service.stored().await, [&["_other/hidden".to_owned()][..], &service.live().await].concat());
    assert_eq!(service.ids().await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_erasure_rewrote_goes_at_once_and_its_list_when_it_is_settled() {
    let service = Service::start().await;
    service.files_of(0, &[vec![click(1, 0)], vec![click(2, 0)]]).await;
    let snapshot = service.snapshot().await;
    let (gone, stays) = (snapshot.files[0].clone(), snapshot.files[1].path.clone());
    let row = ErasedRow { site_id: "shop".to_owned(), event_id: Uuid::from_u128(1), occurred_at: Micros(0) };
    let list = service.lake.write_erased(&[row]).await.unwrap();
    let rewrite = Rewrite { removed: vec![gone.clone()], added: Vec::new(), erased: Some(list.clone()) };
    assert_eq!(service.lake.rewrite(&snapshot, &rewrite).await.unwrap(), 3);

    let paths = || [gone.path.clone(), stays.clone(), "never-there".to_owned()];
    // settle has yet to read the file that version 1 or 2 brought.
    let report = service.lake.vacuum(&Vacuum::at_once(None, paths())).await.unwrap();
    assert_eq!((report.files.len(), report.needed.len()), (0, 2));
    let report = service.lake.vacuum(&Vacuum::at_once(Some(2), paths())).await.unwrap();
    assert_eq!((report.files, report.needed, report.log_files), (vec![gone.path.clone()], vec![stays.clone()], vec![]));
    assert_eq!(service.stored().await, [list.clone(), stays.clone()]);

    // The list is read when version 3 is settled.
    service.lake.vacuum(&Vacuum::older_than(Some(2), later())).await.unwrap();
    assert_eq!(service.lake.read_erased(&list).await.unwrap().len(), 1);
    service.lake.vacuum(&Vacuum::older_than(Some(3), later())).await.unwrap();
    assert_eq!(service.stored().await, [stays]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retention_that_protects_nobody_is_refused() {
    let service = Service::start().await;
    let request = VacuumRequest { retention_days: Some(0), ..VacuumRequest::default() };
    let error = request.run(&service.lake, &LakeSettings::default()).await.unwrap_err();
    assert!(matches!(&error, CompactError::Request(why) if why.contains("days from 1 to 3650")), "{error}");
}
