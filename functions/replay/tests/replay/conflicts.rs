//! Other writers of the lake come in between, or the process dies.

use std::sync::Arc;

use clickstream_compact::{LakeSettings, Merge};
use clickstream_erasure::{Kind, Person, Tombstone, Tombstones};
use clickstream_event::{Event, Micros};
use clickstream_lake::{ErasedRow, Lake, Rewrite};
use clickstream_testkit::{s3::Bucket, sample::rows};

use crate::{
    between::Between,
    scene::{DAY, Scene, compact, days, newer, older},
};

/// A scene whose lake lets something happen before the next commit, with ten events in two files, and its lake directly.
async fn scene() -> (Arc<Between>, Scene, Arc<Lake>) {
    let (between, through, direct) = Between::lakes().await;
    let scene = Scene::on(Bucket::start().await, through).await;
    scene.take(0, 0, &olders(0..5)).await;
    scene.take(0, 5, &olders(5..10)).await;
    (between, scene, direct)
}

fn olders(ids: std::ops::Range<u128>) -> Vec<Event> {
    ids.map(|id| older(id, id as i64)).collect()
}

fn newers(ids: std::ops::Range<u128>) -> Vec<Event> {
    olders(ids).iter().map(newer).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_come_to_the_day_meanwhile_are_computed_too() {
    let (between, scene, direct) = scene().await;
    scene.bucket.land("l", 0, &rows(10, &olders(10..13))).await;
    let config = scene.bucket.config().clone();
    between.before_commit(async move {
        // As another process.
        let objects = Arc::new(clickstream_objects::s3::S3Objects::connect(&config).await);
        let compact = clickstream_compact::Compact::new(objects, direct, "l".to_owned());
        compact.run(clickstream_compact::CompactRequest::default()).await.unwrap();
        true
    });
    let report = scene.days(DAY, DAY, false).await;
    assert_eq!((report.taken, report.days[0].files, report.days[0].version), (13, 3, Some(4)), "{report:?}");
    assert!(scene.events().await == newers(0..13));
    assert_eq!(scene.seen().await, (13, 13, 13));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_a_merge_takes_away_are_computed_again() {
    let (between, scene, direct) = scene().await;
    between.before_commit(async move {
        let snapshot = direct.snapshot().await.unwrap();
        let report = Merge::new(Arc::clone(&direct), LakeSettings::default()).run().await.unwrap();
        assert_eq!((report.merges, report.files, snapshot.files.len()), (1, 2, 2));
        true
    });
    let report = scene.days(DAY, DAY, false).await;
    assert_eq!((report.taken, report.days[0].files, report.days[0].version), (10, 1, Some(4)), "{report:?}");
    assert!(scene.events().await == newers(0..10));
    assert_eq!(scene.seen().await, (10, 10, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_meanwhile_does_not_come_back() {
    let (between, scene, direct) = scene().await;
    let objects = scene.bucket.objects.clone();
    between.before_commit(async move {
        let tombstones = Tombstones::new(objects, None);
        // All the events are of user u.
        let hash = tombstones.key().await.unwrap().hash("shop", &Person::User("u".to_owned()));
        let erased_at = older(4, 4).received_at;
        tombstones.bury(&[Tombstone { site_id: "shop".to_owned(), kind: Kind::User, hash, erased_at }]).await.unwrap();
        direct.rewrite(&direct.snapshot().await.unwrap(), &Rewrite::default()).await.unwrap();
        true
    });
    let report = scene.days(DAY, DAY, false).await;
    assert_eq!((report.taken, report.erased, report.days[0].version), (5, 5, Some(4)), "{report:?}");
    assert!(scene.events().await == newers(5..10));
    assert_eq!(scene.seen().await, (5, 5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_an_erasure_takes_out_meanwhile_stay_out() {
    let (between, scene, direct) = scene().await;
    between.before_commit(async move {
        // The file of the first five events goes.
        let snapshot = direct.snapshot().await.unwrap();
        let first: Vec<_> = snapshot.files.iter().filter(|file| file.original_at_min == older(0, 0).original_at).cloned().collect();
        assert_eq!((first.len(), first[0].rows), (1, 5));
        let row = |e: Event| ErasedRow { site_id: e.site_id, event_id: e.event_id, occurred_at: e.occurred_at };
        let list = direct.write_erased(&olders(0..5).into_iter().map(row).collect::<Vec<_>>()).await.unwrap();
        direct.rewrite(&snapshot, &Rewrite { removed: first, added: Vec::new(), erased: Some(list) }).await.unwrap();
        true
    });
    let report = scene.days(DAY, DAY, false).await;
    assert_eq!((report.taken, report.days[0].rows), (5, 5), "{report:?}");
    assert!(scene.events().await == newers(5..10));
    assert_eq!(scene.seen().await, (5, 5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_dies_before_its_commit_changes_nothing_and_the_next_does_it() {
    let (between, scene, direct) = scene().await;
    between.before_commit(async { false });
    let error = scene.asked(&days(DAY, DAY)).await.unwrap_err();
    assert!(error.to_string().contains("the process died"), "{error}");
    assert_eq!((direct.snapshot().await.unwrap().version, scene.seen().await), (2, (10, 10, 0)));
    let report = scene.days(DAY, DAY, false).await;
    assert_eq!((report.taken, report.days[0].version, scene.seen().await), (10, Some(3), (10, 10, 10)));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_dies_after_its_commit_is_settled_by_whoever_settles_next() {
    let (_, scene, _) = scene().await;
    let report = scene.replay().run(days(DAY, DAY)).await.unwrap();
    assert_eq!((report.days[0].version, report.days[0].load_id, scene.seen().await), (Some(3), None, (10, 10, 0)));
    // Another replay finds nothing to do, and events that come meanwhile count.
    assert_eq!(scene.replay().run(days(DAY, DAY)).await.unwrap().taken, 0);
    scene.take(0, 10, &olders(10..12)).await;
    assert_eq!(scene.seen().await, (12, 12, 10));
    let report = scene.days(DAY, DAY, false).await;
    assert_eq!((report.taken, scene.seen().await), (2, (12, 12, 12)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_told_twice_is_one() {
    let (between, scene, _) = scene().await;
    between.repeats.store(true, std::sync::atomic::Ordering::SeqCst);
    let report = scene.days(DAY, DAY, false).await;
    assert_eq!((report.taken, report.days[0].version, scene.version().await), (10, Some(3), 3));
    assert_eq!(scene.seen().await, (10, 10, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_once_one_wins() {
    let scene = Scene::start().await;
    scene.take(0, 0, &olders(0..40)).await;
    let (one, other) = (scene.replay(), scene.replay());
    let (one, other) = tokio::join!(one.run(days(DAY, DAY)), other.run(days(DAY, DAY)));
    let versions: Vec<_> = [one.unwrap(), other.unwrap()].iter().filter_map(|report| report.days[0].version).collect();
    assert_eq!((versions, scene.version().await), (vec![2], 2));
    scene.settle().await;
    assert!(scene.events().await == newers(0..40));
    assert_eq!(scene.seen().await, (40, 40, 40));
}

#[tokio::test(flavor = "multi_thread")]
async fn compaction_knows_the_events_of_a_day_that_was_computed_anew() {
    let scene = Scene::start().await;
    scene.take(0, 0, &olders(0..10)).await;
    scene.days(DAY, DAY, false).await;
    // Sent again, to another partition.
    let late: Vec<Event> = olders(0..10).into_iter().map(|e| Event { received_at: e.received_at.plus(Micros::HOUR), ..e }).collect();
    scene.bucket.land("l", 1, &rows(0, &late)).await;
    compact(&scene.bucket, &scene.lake).await;
    scene.settle().await;
    assert!(scene.events().await == newers(0..10));
    assert_eq!(scene.seen().await, (10, 10, 10));
}
