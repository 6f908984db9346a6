//! ClickHouse that differs from the lake.

use crate::scene::{Scene, clicks};
use clickstream_reconcile::ReconcileRequest;

async fn settled() -> Scene {
    let scene = Scene::start().await;
    scene.take(&clicks(0..40)).await;
    scene.take(&clicks(40..70)).await;
    assert!(scene.run().await.repairs.is_empty());
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_deleted_are_back_and_readers_see_no_hole() {
    let scene = settled().await;
    let before = scene.reports().await;
    scene.sql("ALTER TABLE events DELETE WHERE log_offset % 3 = 0").await;
    let damaged = scene.count("clicks").await;
    assert!(damaged < 70);
    let told = scene.reconcile().run(ReconcileRequest { dry_run: true, ..ReconcileRequest::default() }).await.unwrap();
    assert_eq!((told.repairs[0].kind.as_str(), told.repairs[0].done), ("warehouse_restored", false), "{told:?}");
    assert_eq!(scene.count("clicks").await, damaged);

    let reconcile = scene.reconcile();
    let mending = tokio::spawn(async move { reconcile.run(ReconcileRequest::default()).await.unwrap() });
    let mut looks = 0;
    while !mending.is_finished() {
        let seen = scene.database.number("if(uniqExact(event_id) = count(), count(), 0) FROM clicks").await;
        assert!(seen == damaged || seen == 70, "{seen} after {looks} looks");
        looks += 1;
    }
    let report = mending.await.unwrap();
    assert_eq!(report.repairs.iter().map(|r| (r.kind.as_str(), r.count)).collect::<Vec<_>>(), [("warehouse_restored", 70 - damaged)]);
    assert!(report.balanced && looks > 0, "{report:?}");
    assert!(scene.reports().await == before, "reports differ");
    assert!(scene.run().await.repairs.is_empty());
    // Settling goes on from there.
    scene.take(&clicks(70..75)).await;
    assert_eq!((scene.count("clicks").await, scene.count("settled").await), (75, 75));
    assert!(scene.run().await.balanced);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_counts_twice_is_found() {
    let scene = settled().await;
    let before = scene.reports().await;
    scene.sql("INSERT INTO events SELECT * FROM events WHERE lake_version = 1").await;
    assert_eq!(scene.count("settled").await, 110);
    assert_eq!(scene.repaired().await, [("warehouse_restored".to_owned(), 40)]);
    assert_eq!((scene.count("settled").await, scene.count("events").await), (70, 70));
    assert!(scene.reports().await == before, "reports differ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_lost_wholly_is_back() {
    let scene = settled().await;
    let before = scene.reports().await;
    scene.sql("DROP TABLE events SYNC").await;
    scene.sql("DROP TABLE session_daily SYNC").await;
    let repaired = scene.repaired().await;
    assert_eq!(repaired, [("tables_restored".to_owned(), 1), ("warehouse_restored".to_owned(), 70)]);
    assert!(scene.reports().await == before, "reports differ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mart_that_is_lost_alone_is_made_and_filled_by_a_rebuild() {
    let scene = settled().await;
    let before = scene.reports().await;
    scene.sql("TRUNCATE TABLE page_daily").await;
    scene.sql("TRUNCATE TABLE element_daily").await;
    scene.reconcile().rebuild(clickstream_reconcile::RebuildRequest::default()).await.unwrap();
    assert!(scene.reports().await == before, "reports differ");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_versions_wait_to_be_settled_nothing_is_compared() {
    let scene = settled().await;
    scene.log(&clicks(70..90)).await;
    for object in scene.land().await {
        scene.load(&object.key).await;
    }
    scene.store().await;
    scene.compact().await;
    let report = scene.run().await;
    assert!(report.repairs.is_empty() && report.balanced, "{report:?}");
    assert_eq!(report.partitions.iter().map(|row| row.pending).sum::<u64>(), 20);
}
