//! Rebuilds that are cut off, and tables that are filled out of sight.

use std::{collections::BTreeMap, time::Duration};

use clickstream_columns::read_parquet;
use clickstream_event::{Event, Micros};
use uuid::Uuid;

use super::{
    count, database, day, drop_database,
    sample::{event, lake_file, object},
    settling::settle,
};
use crate::{Commit, Fingerprint, Warehouse, fingerprint, marts::MARTS, rebuilding::Rebuild};

async fn clicks_in_mart(warehouse: &Warehouse) -> u64 {
    warehouse.query("SELECT sum(clicks) FROM element_daily").fetch_one().await.unwrap()
}

fn clicks(of: std::ops::Range<i64>) -> Vec<Event> {
    of.map(|n| event("s", n, "p")).collect()
}

/// One settler computes numbers before a newer version's commit, another settles that version and notes the marts as
/// rebuilt, then the first swaps its older numbers in and dies before it looks. Who comes later mends it.
pub async fn older_numbers_of_a_rebuild_that_died_do_not_stay(url: String) {
    let warehouse = database(&url).await;
    settle(&warehouse, 1, 0, &clicks(0..3), 3).await;
    let dies = Rebuild::begin(&warehouse, &[day()]).await.unwrap();
    for mart in &MARTS {
        dies.fill(mart, &[day()]).await.unwrap();
    }
    settle(&warehouse, 2, 3, &clicks(3..7), 7).await;
    warehouse.rebuild_marts(&[day()]).await.unwrap();
    warehouse.marts_rebuilt(2).await.unwrap();
    assert_eq!(clicks_in_mart(&warehouse).await, 7);
    for mart in &MARTS {
        dies.swap(mart, &[day()]).await.unwrap();
    }
    assert_eq!(clicks_in_mart(&warehouse).await, 3, "the older numbers stand");
    assert_eq!(warehouse.versions_without_marts().await.unwrap(), [], "and no version says so");

    assert_eq!(warehouse.finish_rebuilds(Duration::from_hours(1)).await.unwrap(), [], "it may still run");
    assert_eq!(warehouse.finish_rebuilds(Duration::ZERO).await.unwrap(), [day()]);
    assert_eq!(clicks_in_mart(&warehouse).await, 7);
    assert_eq!(warehouse.finish_rebuilds(Duration::ZERO).await.unwrap(), [], "it is done once");
    assert_eq!(count(&warehouse, "system.tables WHERE database = currentDatabase() AND name LIKE 'staging%'").await, 0);
    drop_database(&warehouse).await;
}

/// A rebuild that stood still and is taken for dead can put nothing old in place when it goes on.
pub async fn a_rebuild_that_was_taken_over_swaps_nothing(url: String) {
    let warehouse = database(&url).await;
    settle(&warehouse, 1, 0, &clicks(0..3), 3).await;
    let slow = Rebuild::begin(&warehouse, &[day()]).await.unwrap();
    slow.fill(&MARTS[0], &[day()]).await.unwrap();
    settle(&warehouse, 2, 3, &clicks(3..7), 7).await;
    assert_eq!(warehouse.finish_rebuilds(Duration::ZERO).await.unwrap(), [day()]);
    assert!(slow.swap(&MARTS[0], &[day()]).await.is_err());
    assert!(slow.fill(&MARTS[1], &[day()]).await.is_err());
    assert_eq!(clicks_in_mart(&warehouse).await, 7);
    drop_database(&warehouse).await;
}

/// Where older events are deleted, marts keep what they said of their days.
pub async fn closed_days_are_never_rebuilt(url: String) {
    let warehouse = database(&url).await;
    settle(&warehouse, 1, 0, &clicks(0..3), 3).await;
    warehouse.rebuild_marts(&[day()]).await.unwrap();
    warehouse.query("ALTER TABLE events DELETE WHERE true").with_setting("mutations_sync", "1").execute().await.unwrap();
    let closing = warehouse.clone().closing_after(Some(30));
    closing.rebuild_marts(&[day()]).await.unwrap();
    closing.rebuild_all_marts().await.unwrap();
    assert_eq!(clicks_in_mart(&warehouse).await, 3);
    warehouse.rebuild_marts(&[day()]).await.unwrap();
    assert_eq!(clicks_in_mart(&warehouse).await, 0);
    drop_database(&warehouse).await;
}

/// Rows that were lost are back in one step; no event is missing or there twice before, while and after.
pub async fn a_shadow_is_exchanged_without_a_hole(url: String) {
    let warehouse = database(&url).await;
    let (one, two) = (clicks(0..5), clicks(5..9));
    settle(&warehouse, 1, 0, &one, 5).await;
    let newest = settle(&warehouse, 2, 5, &two, 9).await;
    warehouse.query("ALTER TABLE events DELETE WHERE log_offset >= 7").with_setting("mutations_sync", "1").execute().await.unwrap();
    assert_eq!(warehouse.settled_rows().await.unwrap(), 7);
    let shadow = warehouse.shadow(2).await.unwrap();
    assert!(warehouse.restoring().await.unwrap());
    assert!(warehouse.shadow(2).await.is_err(), "one at a time");
    let all: Vec<_> = [one, two].concat();
    shadow.insert(lake_file(0, &all)).await.unwrap();
    assert_eq!((warehouse.settled_rows().await.unwrap(), count(&warehouse, "clicks").await), (7, 7), "it is out of sight");
    shadow.exchange(None).await.unwrap();
    assert_eq!((warehouse.settled_rows().await.unwrap(), count(&warehouse, "clicks").await), (9, 9));
    shadow.end().await.unwrap();
    assert!(!warehouse.restoring().await.unwrap());
    assert_eq!(warehouse.newest_commit().await.unwrap(), Some(newest));
    assert_eq!(count(&warehouse, "system.tables WHERE database = currentDatabase() AND name LIKE 'shadow%'").await, 0);
    // Settling goes on.
    settle(&warehouse, 3, 9, &clicks(9..11), 11).await;
    assert_eq!((warehouse.settled_rows().await.unwrap(), warehouse.abandon_loads(0).await.unwrap()), (11, 0));
    warehouse.rebuild_all_marts().await.unwrap();
    assert_eq!((clicks_in_mart(&warehouse).await, warehouse.versions_without_marts().await.unwrap().len()), (11, 0));
    drop_database(&warehouse).await;
}

/// Who restores and dies before the marts are rebuilt leaves marts of what stood there before; who settles later mends
/// them, also of a day that has no events any more.
pub async fn the_marts_of_a_restoration_that_died_follow(url: String) {
    let warehouse = database(&url).await;
    let mut events = clicks(0..4);
    settle(&warehouse, 1, 0, &events, 4).await;
    let other = day().tomorrow().unwrap();
    warehouse.rebuild_marts(&[day()]).await.unwrap();
    warehouse.marts_rebuilt(1).await.unwrap();
    events[3].occurred_at = events[3].occurred_at.plus(Micros::DAY);
    let shadow = warehouse.shadow(1).await.unwrap();
    shadow.insert(lake_file(0, &events)).await.unwrap();
    shadow.exchange(None).await.unwrap();
    // It dies here: nothing says that it ended.
    drop(shadow);
    warehouse.rebuild_all_marts().await.unwrap();
    assert_eq!(warehouse.finish_rebuilds(Duration::ZERO).await.unwrap(), [day(), other], "it may have exchanged after that");

    warehouse.query("TRUNCATE TABLE restorations").execute().await.unwrap();
    let shadow = warehouse.shadow(1).await.unwrap();
    shadow.insert(lake_file(0, &events[..3])).await.unwrap();
    shadow.exchange(None).await.unwrap();
    shadow.end().await.unwrap();
    assert_eq!(clicks_in_mart(&warehouse).await, 4, "the marts have not followed");
    assert_eq!(warehouse.versions_without_marts().await.unwrap(), [], "and no version says so");
    assert_eq!(warehouse.finish_rebuilds(Duration::ZERO).await.unwrap(), [day(), other]);
    assert_eq!(clicks_in_mart(&warehouse).await, 3);

    let shadow = warehouse.shadow(1).await.unwrap();
    shadow.insert(lake_file(0, &events[..2])).await.unwrap();
    shadow.exchange(None).await.unwrap();
    shadow.end().await.unwrap();
    warehouse.rebuild_all_marts().await.unwrap();
    assert_eq!(clicks_in_mart(&warehouse).await, 2);
    assert_eq!(warehouse.finish_rebuilds(Duration::ZERO).await.unwrap(), [], "the marts of this one were rebuilt");
    drop_database(&warehouse).await;
}

/// From nothing: tables, rows, and the one row in `commits`.
pub async fn a_database_that_lost_everything_is_filled_from_a_shadow(url: String) {
    let warehouse = database(&url).await;
    warehouse.query(&format!("DROP DATABASE `{}` SYNC", warehouse.database())).execute().await.unwrap();
    warehouse.restore_tables().await.unwrap();
    for table in ["events", "landing_to_fresh", "clicks"] {
        warehouse.query(&format!("DROP TABLE {table} SYNC")).execute().await.unwrap();
    }
    warehouse.restore_tables().await.unwrap();
    let events = clicks(0..6);
    let shadow = warehouse.shadow(4).await.unwrap();
    shadow.insert(lake_file(0, &events)).await.unwrap();
    let commit = Commit { version: 4, load_id: Uuid::nil(), watermarks: BTreeMap::from([("log/0".to_owned(), 6)]), rows: 6 };
    shadow.exchange(Some(&commit)).await.unwrap();
    shadow.end().await.unwrap();
    let newest = warehouse.newest_commit().await.unwrap().unwrap();
    assert_eq!((newest.version, newest.rows, &newest.watermarks), (4, 6, &commit.watermarks));
    assert_eq!(count(&warehouse, "clicks").await, 6);
    warehouse.insert_raw(object(5, &clicks(5..8))).await.unwrap();
    settle(&warehouse, 5, 6, &clicks(6..7), 7).await;
    assert_eq!(count(&warehouse, "settled").await, 7);
    drop_database(&warehouse).await;
}

/// Whatever an event holds, ClickHouse and this program compute one hash of it; another value is another hash.
pub async fn rows_have_the_same_hash_here_and_there(url: String) {
    let warehouse = database(&url).await;
    let mut events = clicks(0..4);
    events[1].site_id = "other ё".to_owned();
    events[1].properties = serde_json::from_str(r#"{"a":[1,null,"\u0001"],"b":{"c":0.5}}"#).unwrap();
    events[1].warnings = vec!["time_assigned".to_owned(), "x".to_owned()];
    events[1].bot = true;
    events[1].visible_ms = Some(-7);
    events[2].occurred_at = Micros(-3 * Micros::DAY - 1);
    events[3].element_text = None;
    let file = lake_file(0, &events);
    let mut here = Fingerprint::new();
    for batch in read_parquet(file.clone()).unwrap() {
        fingerprint::add(&mut here, &batch).unwrap();
    }
    let commit = settle(&warehouse, 1, 0, &events, 4).await;
    assert_eq!(commit.rows, 4);
    let there = warehouse.settled_fingerprint().await.unwrap();
    assert_eq!(here, there);
    assert_eq!(here.values().map(|tally| tally.rows).sum::<u64>(), 4);
    assert_eq!(fingerprint::difference(&here, &there), None);
    warehouse
        .query("ALTER TABLE events UPDATE element_text = 'Sell' WHERE site_id = 'other ё'")
        .with_setting("mutations_sync", "1")
        .execute()
        .await
        .unwrap();
    let changed = warehouse.settled_fingerprint().await.unwrap();
    assert_eq!(fingerprint::difference(&here, &changed).map(|(site, _)| site), Some("other ё".to_owned()));
    drop_database(&warehouse).await;
}
