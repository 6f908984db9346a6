//! ClickHouse and the event store anew from the lake.

use std::sync::Arc;

use crate::scene::{Scene, clicks};
use clickstream_event::{Action, Event};
use clickstream_reconcile::{RebuildPart, RebuildRequest};

/// Events of several people, pages and days.
fn mixed(ids: std::ops::Range<u128>) -> Vec<Event> {
    let vary = |mut event: Event| {
        let n = event.event_id.as_u128();
        event.action = [Action::Click, Action::View, Action::Page][(n % 3) as usize];
        event.user_id = Some(format!("u{}", n % 11));
        event.path = Some(format!("/p{}", n % 5));
        event.session_id = (n % 4 == 0).then(|| format!("s{}", n % 7));
        for at in [&mut event.occurred_at, &mut event.original_at] {
            *at = at.plus((n as i64 % 9) * 33_333_333_333);
        }
        event
    };
    clicks(ids).into_iter().map(vary).collect()
}

async fn full() -> Scene {
    let scene = Scene::start().await;
    scene.take(&mixed(0..120)).await;
    scene.take(&mixed(100..200)).await;
    // Landed and not compacted.
    scene.log(&mixed(200..230)).await;
    scene.store().await;
    for object in scene.land().await {
        scene.load(&object.key).await;
    }
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_gone_is_rebuilt_and_reports_are_the_same_byte_by_byte() {
    let mut scene = full().await;
    let before = scene.reports().await;
    let name = scene.warehouse().database().to_owned();
    let client = scene.warehouse().client().clone().with_database("default");
    client.query_raw(&format!("DROP DATABASE `{name}` SYNC")).execute().await.unwrap();
    scene.lose_store();
    let report = scene.reconcile().rebuild(RebuildRequest::default()).await.unwrap();
    assert_eq!((report.rows, report.stored), (200, 230), "{report:?}");
    assert!(report.version.is_some_and(|version| version >= 2) && report.loaded_objects > 0 && report.compared > 1);
    assert!(scene.reports().await == before, "reports differ");
    assert_eq!((scene.count("clicks").await, scene.stored(0..230).await), (230, 230));

    // Again changes nothing, and everything goes on from there.
    let again = scene.reconcile().rebuild(RebuildRequest::default()).await.unwrap();
    assert_eq!((again.rows, again.loaded_objects), (200, 0), "{again:?}");
    assert!(scene.reports().await == before, "reports differ");
    scene.take(&mixed(225..240)).await;
    assert_eq!((scene.count("clicks").await, scene.count("settled").await), (240, 240));
    let run = scene.run().await;
    assert!(run.repairs.is_empty() && run.balanced, "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_rebuilt_whatever_is_missing() {
    let scene = full().await;
    let before = scene.reports().await;
    let damages: [&[&str]; 4] = [
        &["ALTER TABLE events DELETE WHERE log_offset < 20"],
        &["TRUNCATE TABLE commits", "TRUNCATE TABLE rebuilt"],
        &["ALTER TABLE commits DELETE WHERE version = 2"],
        &["DROP TABLE events SYNC", "DROP TABLE fresh SYNC", "DROP VIEW clicks SYNC", "TRUNCATE TABLE device_daily"],
    ];
    for damage in damages {
        for sql in damage {
            scene.sql(sql).await;
        }
        let request = RebuildRequest { only: Some(RebuildPart::Warehouse), ..RebuildRequest::default() };
        let report = scene.reconcile().rebuild(request).await.unwrap();
        assert_eq!(report.stored, 0);
        scene.settle().await;
        assert_eq!(scene.count("settled").await, 200, "{damage:?}");
        assert!(scene.reports().await == before, "reports differ after {damage:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_cut_off_shows_nothing_of_it_and_a_second_does_it_whole() {
    let scene = full().await;
    let before = scene.reports().await;
    scene.sql("ALTER TABLE events DELETE WHERE log_offset < 20").await;
    let damaged = scene.count("clicks").await;
    for cut_after in [1, 5, 20, 60, 120, 200] {
        let reconcile = Arc::new(scene.reconcile());
        let request = RebuildRequest { only: Some(RebuildPart::Warehouse), ..RebuildRequest::default() };
        let rebuilding = tokio::spawn({
            let reconcile = Arc::clone(&reconcile);
            async move { reconcile.rebuild(request).await }
        });
        tokio::time::sleep(std::time::Duration::from_millis(cut_after)).await;
        rebuilding.abort();
        let _ = rebuilding.await;
        let seen = scene.count("clicks").await;
        assert!(seen == damaged || seen == 230, "{seen}");
        // What says that it goes on is forgotten as if half a minute had passed.
        scene.sql("TRUNCATE TABLE restorations").await;
    }
    scene.reconcile().rebuild(RebuildRequest::default()).await.unwrap();
    assert!(scene.reports().await == before, "reports differ");
    assert_eq!(scene.count("system.tables WHERE database = currentDatabase() AND name LIKE 'shadow%'").await, 0);
    assert_eq!(scene.count("settled").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_goes_on_nothing_is_settled() {
    let scene = full().await;
    scene.compact().await;
    let shadow = scene.warehouse().shadow(2).await.unwrap();
    let settle = clickstream_settle::Settle::new(Arc::clone(&scene.lake), scene.warehouse().clone());
    let report = settle.run().await.unwrap();
    assert!(report.waits && report.versions == 0, "{report:?}");
    shadow.end().await.unwrap();
    let report = settle.run().await.unwrap();
    assert!(!report.waits && report.versions == 1, "{report:?}");
    assert_eq!(scene.count("settled").await, 230);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_event_store_is_rebuilt_where_that_is_asked() {
    let mut scene = full().await;
    scene.lose_store();
    let request = RebuildRequest { only: Some(RebuildPart::Store), ..RebuildRequest::default() };
    let report = scene.reconcile().rebuild(request).await.unwrap();
    assert_eq!((report.version, report.stored), (None, 230));
    assert_eq!(scene.stored(0..230).await, 230);
}
