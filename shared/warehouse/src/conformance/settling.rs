//! What is settled.

use std::collections::BTreeMap;

use clickstream_event::Event;
use uuid::Uuid;

use super::{
    count, database, drop_database,
    sample::{event, lake_file, object},
};
use crate::{Commit, InWarehouse, Warehouse, WarehouseError};

/// Settles `events` as `version`, whose watermark of partition 0 is `next`.
pub async fn settle(warehouse: &Warehouse, version: u64, first: u64, events: &[Event], next: u64) -> Commit {
    let commit = commit(version, events.len() as u64, next);
    if !events.is_empty() {
        warehouse.insert_settled(lake_file(first, events), commit.load_id, version, "events/file").await.unwrap();
    }
    warehouse.commit(&commit).await.unwrap();
    commit
}

fn commit(version: u64, rows: u64, next: u64) -> Commit {
    Commit { version, load_id: Uuid::new_v4(), watermarks: BTreeMap::from([("log/0".to_owned(), next)]), rows }
}

/// A load is invisible until its commit, and from then on stands in place of its fresh rows.
pub async fn settled_events_replace_fresh_ones_at_once(url: String) {
    let warehouse = database(&url).await;
    let events: Vec<_> = (0..30).map(|n| event("s", n, "p")).collect();
    warehouse.insert_raw(object(0, &events)).await.unwrap();
    let id = events[0].event_id;
    assert_eq!(warehouse.find(Some("s"), id).await.unwrap(), Some(InWarehouse { visible: true, settled: false, lake_version: None }));
    let first = commit(1, 20, 20);
    warehouse.insert_settled(lake_file(0, &events[..20]), first.load_id, 1, "f").await.unwrap();
    assert_eq!(warehouse.rows_of_load(first.load_id).await.unwrap(), 20);
    assert_eq!((count(&warehouse, "clicks").await, count(&warehouse, "settled").await), (30, 0));
    warehouse.commit(&first).await.unwrap();
    assert_eq!((count(&warehouse, "clicks").await, count(&warehouse, "settled").await), (30, 20));
    assert_eq!(warehouse.newest_commit().await.unwrap(), Some(first.clone()));
    assert_eq!(warehouse.find(None, id).await.unwrap(), Some(InWarehouse { visible: true, settled: true, lake_version: Some(1) }));
    assert_eq!(warehouse.find(Some("other"), id).await.unwrap(), None);
    assert_eq!(warehouse.settled_version_of("log", 0, 19).await.unwrap(), Some(1));
    assert_eq!(warehouse.settled_version_of("log", 0, 20).await.unwrap(), None);
    assert_eq!(warehouse.days_of_load(first.load_id).await.unwrap(), [super::day()]);
    assert_eq!(warehouse.versions_without_marts().await.unwrap(), [(1, first.load_id)]);
    warehouse.marts_rebuilt(1).await.unwrap();
    assert_eq!(warehouse.versions_without_marts().await.unwrap(), []);
    // A version that added nothing takes nothing away.
    settle(&warehouse, 2, 0, &[], 20).await;
    assert_eq!(count(&warehouse, "clicks").await, 30);
    settle(&warehouse, 3, 20, &events[20..], 30).await;
    assert_eq!((count(&warehouse, "clicks").await, count(&warehouse, "settled").await), (30, 30));
    let ids: u64 = warehouse.query("SELECT uniqExact(event_id) FROM clicks").fetch_one().await.unwrap();
    assert_eq!(ids, 30);
    drop_database(&warehouse).await;
}

/// A repeat that comes after its event was settled does not show; other events beside it do, and so do other sites'
/// events of the same id.
pub async fn a_repeat_of_a_settled_event_is_hidden(url: String) {
    let warehouse = database(&url).await;
    let settled = event("s", 0, "p");
    settle(&warehouse, 1, 0, std::slice::from_ref(&settled), 1).await;
    let mut untimed = event("s", 7_200, "p");
    untimed.warnings = vec!["time_assigned".to_owned()];
    settle(&warehouse, 2, 1, std::slice::from_ref(&untimed), 2).await;
    let mut elsewhere = settled.clone();
    "t".clone_into(&mut elsewhere.site_id);
    // Sent again a day later by a client that gives no times.
    let mut untimed_again = untimed.clone();
    untimed_again.original_at = untimed.original_at.plus(clickstream_event::Micros::DAY);
    warehouse.insert_raw(object(10, &[settled, event("s", 1, "p"), elsewhere, untimed_again])).await.unwrap();
    assert_eq!(count(&warehouse, "clicks").await, 4);
    assert_eq!(count(&warehouse, "clicks WHERE site_id = 's'").await, 3);
    drop_database(&warehouse).await;
}

/// A version is refused while the one before is missing, and a second time changes nothing.
pub async fn versions_are_settled_in_order(url: String) {
    let warehouse = database(&url).await;
    let refused = |outcome: Result<(), WarehouseError>| matches!(outcome, Err(WarehouseError::Refused { .. }));
    assert!(refused(warehouse.commit(&commit(2, 0, 0)).await));
    let first = settle(&warehouse, 1, 0, &[event("s", 0, "p")], 1).await;
    assert!(refused(warehouse.commit(&commit(3, 0, 5)).await));
    warehouse.commit(&commit(1, 7, 9)).await.unwrap();
    assert_eq!(warehouse.newest_commit().await.unwrap(), Some(first));
    drop_database(&warehouse).await;
}

/// A commit is refused unless its load has as many rows as the lake says.
pub async fn a_load_that_is_not_whole_is_refused(url: String) {
    let warehouse = database(&url).await;
    let half = commit(1, 2, 2);
    warehouse.insert_settled(lake_file(0, &[event("s", 0, "p")]), half.load_id, 1, "f").await.unwrap();
    let error = warehouse.commit(&half).await.unwrap_err();
    assert!(error.to_string().contains("has 1 rows in ClickHouse where the lake has 2"), "{error}");
    assert_eq!(count(&warehouse, "clicks").await, 0);
    drop_database(&warehouse).await;
}

/// A load without a commit does not show, and its rows go; those of the load that counts stay.
pub async fn an_abandoned_load_is_never_seen_and_deleted(url: String) {
    let warehouse = database(&url).await;
    let one = event("s", 0, "p");
    let lost = Uuid::new_v4();
    warehouse.insert_settled(lake_file(0, std::slice::from_ref(&one)), lost, 1, "f").await.unwrap();
    let kept = settle(&warehouse, 1, 0, std::slice::from_ref(&one), 1).await;
    assert_eq!((count(&warehouse, "clicks").await, count(&warehouse, "events").await), (1, 2));
    assert_eq!(warehouse.abandon_loads(24).await.unwrap(), 0);
    assert_eq!(warehouse.abandon_loads(0).await.unwrap(), 1);
    assert_eq!(warehouse.rows_of_load(lost).await.unwrap(), 0);
    assert_eq!(warehouse.rows_of_load(kept.load_id).await.unwrap(), 1);
    assert_eq!(count(&warehouse, "clicks").await, 1);
    drop_database(&warehouse).await;
}

/// Rows leave `fresh` some time after they were settled, never before, and nothing visible changes.
pub async fn settled_rows_leave_fresh(url: String) {
    let warehouse = database(&url).await;
    let events: Vec<_> = (0..10).map(|n| event("s", n, "p")).collect();
    warehouse.insert_raw(object(499_995, &events)).await.unwrap();
    assert_eq!(warehouse.expire_fresh(0).await.unwrap(), 0);
    settle(&warehouse, 1, 499_995, &events[..8], 500_003).await;
    assert_eq!(warehouse.expire_fresh(2).await.unwrap(), 0);
    assert_eq!((count(&warehouse, "fresh").await, count(&warehouse, "clicks").await), (10, 10));
    // One partition is dropped, the other rewritten.
    assert_eq!(warehouse.expire_fresh(0).await.unwrap(), 2);
    assert_eq!((count(&warehouse, "fresh").await, count(&warehouse, "clicks").await), (2, 10));
    drop_database(&warehouse).await;
}

/// A version that brings a day anew hides what lower versions had of it, at once and only once it counts; later versions
/// add to it. What is hidden goes after a time, and nothing visible changes.
pub async fn a_day_is_brought_anew_at_once(url: String) {
    let warehouse = database(&url).await;
    let old: Vec<_> = (0..20).map(|n| event("s", n, "p")).collect();
    let next_day = event("s", 86_400, "p");
    settle(&warehouse, 1, 0, &old, 20).await;
    settle(&warehouse, 2, 20, std::slice::from_ref(&next_day), 21).await;
    let mut anew = old.clone();
    anew.iter_mut().for_each(|event| event.browser = Some("New".to_owned()));
    // The last one was erased.
    let load = commit(3, 19, 21);
    warehouse.insert_settled(lake_file(0, &anew[..19]), load.load_id, 3, "f").await.unwrap();
    warehouse.replaces_day(3, load.load_id, super::day()).await.unwrap();
    // An attempt that is never settled hides nothing.
    warehouse.replaces_day(3, Uuid::nil(), super::day().tomorrow().unwrap()).await.unwrap();
    let seen = async |table: &str| -> (u64, u64, u64) {
        let sql = format!("SELECT count(), uniqExact(event_id), countIf(browser = 'New') FROM {table}");
        warehouse.query(&sql).fetch_one().await.unwrap()
    };
    assert_eq!((seen("clicks").await, seen("settled").await), ((21, 21, 0), (21, 21, 0)));
    warehouse.commit(&load).await.unwrap();
    assert_eq!((seen("clicks").await, seen("settled").await), ((20, 20, 19), (20, 20, 19)));
    assert_eq!(warehouse.load_of(3).await.unwrap(), Some(load.load_id));
    assert_eq!(warehouse.load_of(4).await.unwrap(), None);
    let found = |version| Some(InWarehouse { visible: true, settled: true, lake_version: Some(version) });
    assert_eq!(warehouse.find(Some("s"), old[0].event_id).await.unwrap(), found(3));
    assert_eq!(warehouse.find(Some("s"), next_day.event_id).await.unwrap(), found(2));
    settle(&warehouse, 4, 21, &[event("s", 50, "p")], 22).await;
    assert_eq!(seen("clicks").await, (21, 21, 19));
    // Once more, twice in a row.
    let again = commit(5, 20, 22);
    warehouse.insert_settled(lake_file(0, &anew[..19]), again.load_id, 5, "f").await.unwrap();
    warehouse.insert_settled(lake_file(21, &[event("s", 50, "p")]), again.load_id, 5, "g").await.unwrap();
    warehouse.replaces_day(5, again.load_id, super::day()).await.unwrap();
    warehouse.replaces_day(5, again.load_id, super::day()).await.unwrap();
    warehouse.commit(&again).await.unwrap();
    assert_eq!((seen("clicks").await, count(&warehouse, "events").await), ((21, 21, 19), 61));

    assert_eq!(warehouse.drop_replaced(24).await.unwrap(), 0);
    assert_eq!(warehouse.drop_replaced(0).await.unwrap(), 1);
    assert_eq!((seen("clicks").await, seen("settled").await), ((21, 21, 19), (21, 21, 19)));
    assert_eq!((count(&warehouse, "events").await, count(&warehouse, "replaced").await), (21, 0));
    assert_eq!(warehouse.drop_replaced(0).await.unwrap(), 0);
    assert!(warehouse.schema_version().await.unwrap().is_some_and(|number| number >= 8));
    drop_database(&warehouse).await;
}
