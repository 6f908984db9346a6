//! A day that a replay brought anew.

use clickstream_columns::{PlacedEvent, lake_batch, placed_events, read_parquet, write_lake_file};
use clickstream_event::DeviceType;
use clickstream_lake::{NewFile, Replay, day_of};
use clickstream_reconcile::RebuildRequest;
use clickstream_testkit::sample::click;

use crate::scene::{Scene, clicks};

async fn file(scene: &Scene, mut rows: Vec<PlacedEvent>) -> NewFile {
    rows.sort_by_key(|row| (row.event.original_at, row.event.event_id));
    let range = (rows[0].event.original_at, rows[rows.len() - 1].event.original_at);
    let count = rows.len() as u64;
    let bytes = write_lake_file([lake_batch(rows)]).unwrap();
    scene.lake.write_file(bytes, count, range, range).await.unwrap()
}

/// Forty clicks of a day and one of the next, the forty brought anew as those of phones, and settled.
async fn replayed() -> Scene {
    let scene = Scene::start().await;
    scene.take(&clicks(0..40)).await;
    scene.take(&[click(1_000, 86_400)]).await;
    let base = scene.lake.snapshot().await.unwrap();
    let mut rows = Vec::new();
    for file in &base.files {
        for batch in read_parquet(scene.lake.read_file(&file.path).await.unwrap()).unwrap() {
            rows.extend(placed_events(&batch).unwrap());
        }
    }
    let day = day_of(click(0, 0).original_at).unwrap();
    let (mut anew, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| day_of(row.event.original_at) == Some(day));
    anew.iter_mut().for_each(|row| row.event.device_type = DeviceType::Mobile);
    let replay = Replay {
        day,
        removed: base.files.clone(),
        added: vec![file(&scene, anew).await],
        moved: vec![file(&scene, others).await],
        happened_on: [day].into(),
        ..Replay::default()
    };
    scene.lake.replay(&base, &replay).await.unwrap();
    scene.settle().await;
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_same_events_for_the_ledger_and_for_a_rebuild() {
    let scene = replayed().await;
    let report = scene.run().await;
    assert!(report.repairs.is_empty() && report.balanced, "{report:?}");
    assert_eq!((scene.count("settled").await, scene.count("clicks").await, scene.count("events").await), (41, 41, 81));
    assert_eq!(scene.count("settled WHERE device_type = 'mobile'").await, 40);
    let before = scene.reports().await;
    let rebuilt = scene.reconcile().rebuild(RebuildRequest::default()).await.unwrap();
    assert_eq!((rebuilt.rows, scene.count("settled").await, scene.count("events").await), (41, 41, 41));
    assert!(scene.reports().await == before, "reports differ");
    // Settling goes on from there.
    scene.take(&clicks(40..45)).await;
    assert_eq!((scene.count("clicks").await, scene.count("settled").await), (46, 46));
    assert!(scene.run().await.balanced);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_clickhouse_shows_old_rows_again_or_lacks_new_ones_it_is_restored() {
    let scene = replayed().await;
    let before = scene.reports().await;
    scene.sql("TRUNCATE TABLE replaced").await;
    assert_eq!(scene.count("settled").await, 81);
    assert_eq!(scene.repaired().await, [("warehouse_restored".to_owned(), 40)]);
    assert!(scene.reports().await == before, "reports differ");
    scene.sql("ALTER TABLE events DELETE WHERE device_type = 'mobile'").await;
    assert_eq!(scene.repaired().await, [("warehouse_restored".to_owned(), 40)]);
    assert!(scene.reports().await == before, "reports differ");
    scene.sql("DROP TABLE replaced SYNC").await;
    assert_eq!(scene.repaired().await, [("tables_restored".to_owned(), 1)]);
    assert!(scene.reports().await == before, "reports differ");
}
