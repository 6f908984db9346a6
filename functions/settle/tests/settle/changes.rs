//! Versions that are no appends: merges and erasures.

use std::sync::Arc;

use crate::service::Service;
use clickstream_columns::{event_schema, raw_batch, write_lake_file};
use clickstream_event::Event;
use clickstream_lake::{ErasedRow, Expiry, NewFile, Rewrite, begin_of, place};
use clickstream_settle::Settle;
use clickstream_testkit::sample::{click, rows};
use clickstream_warehouse::{Commit, Day};
use uuid::Uuid;

impl Service {
    async fn file(&self, events: &[Event]) -> NewFile {
        let raw = raw_batch("l", 0, &rows(0, events)).unwrap();
        let columns: Vec<usize> = (0..event_schema().fields().len()).collect();
        let bytes = write_lake_file([Ok(raw.project(&columns).unwrap())]).unwrap();
        let (from, to) = (events[0].original_at, events[events.len() - 1].original_at);
        self.lake.write_file(bytes, events.len() as u64, (from, to), (from, to)).await.unwrap()
    }

    /// Puts one file with `events` in place of all; `erased` says which are gone.
    async fn rewrite(&self, events: &[Event], erased: &[Event]) -> u64 {
        let base = self.lake.snapshot().await.unwrap();
        let row = |e: &Event| ErasedRow { site_id: e.site_id.clone(), event_id: e.event_id, occurred_at: e.occurred_at };
        let list = erased.iter().map(row).collect::<Vec<_>>();
        let erased = if list.is_empty() { None } else { Some(self.lake.write_erased(&list).await.unwrap()) };
        let rewrite = Rewrite { removed: base.files.clone(), added: vec![self.file(events).await], erased };
        self.lake.rewrite(&base, &rewrite).await.unwrap()
    }

    async fn mart(&self) -> Vec<String> {
        let sql = "SELECT concat(toString(day), ' ', toString(clicks)) FROM element_daily ORDER BY day";
        self.database.warehouse.client().query(sql).fetch_all().await.unwrap()
    }
}

fn days() -> Vec<Event> {
    vec![click(1, 0), click(2, 60), click(3, 86_400), click(4, 86_460)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_gets_its_row_and_changes_nothing() {
    let service = Service::start().await;
    service.append(0, 0, &days()[..2]).await;
    service.append(0, 2, &days()[2..]).await;
    service.settle().run().await.unwrap();
    assert_eq!(service.rewrite(&days(), &[]).await, 3);
    let report = service.settle().run().await.unwrap();
    assert_eq!((report.versions, report.rows, report.days.len()), (1, 0, 0), "{report:?}");
    let commit = service.database.warehouse.newest_commit().await.unwrap().unwrap();
    assert_eq!((commit.version, commit.rows, commit.watermarks["l/0"]), (3, 0, 4));
    assert_eq!(service.database.number("count() FROM clicks").await, 4);
    // Appends go on from it.
    service.append(0, 4, &[click(5, 0)]).await;
    service.settle().run().await.unwrap();
    assert_eq!(service.mart().await, ["2026-11-24 3", "2026-11-25 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn erased_rows_are_gone_from_reports_and_marts_of_their_days() {
    let service = Service::start().await;
    service.append(0, 0, &days()).await;
    service.settle().run().await.unwrap();
    let kept = [days()[0].clone(), days()[1].clone(), days()[3].clone()];
    service.rewrite(&kept, &days()[2..3]).await;
    let report = service.settle().run().await.unwrap();
    assert_eq!((report.versions, report.rows, report.days), (1, 0, vec!["2026-11-25".to_owned()]));
    assert_eq!(service.mart().await, ["2026-11-24 2", "2026-11-25 1"]);
    assert_eq!((service.database.number("count() FROM events").await, service.database.number("count() FROM clicks").await), (3, 3));
    let again = service.settle().run().await.unwrap();
    assert_eq!((again.versions, again.days.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_died_between_the_rows_and_the_version_is_done_again() {
    let service = Service::start().await;
    service.append(0, 0, &days()).await;
    service.settle().run().await.unwrap();
    service.rewrite(&days()[1..], &days()[..1]).await;
    service.database.warehouse.erase(&[("shop".to_owned(), days()[0].event_id)]).await.unwrap();
    let report = service.settle().run().await.unwrap();
    assert_eq!((report.version, report.days), (Some(2), vec!["2026-11-24".to_owned()]));
    assert_eq!(service.mart().await, ["2026-11-24 1", "2026-11-25 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settler_that_comes_after_an_erasure_leaves_no_erased_row_behind() {
    let service = Service::start().await;
    service.append(0, 0, &days()).await;
    let version = service.lake.versions(1, 1).await.unwrap().remove(0);
    let bytes = service.lake.read_file(&version.added()[0].path).await.unwrap();
    let warehouse = &service.database.warehouse;
    service.settle().run().await.unwrap();
    service.rewrite(&days()[1..], &days()[..1]).await;
    service.settle().run().await.unwrap();
    // It read version 1 before, and stood still since.
    let late = Commit { version: 1, load_id: Uuid::now_v7(), watermarks: version.watermarks, rows: 4 };
    warehouse.insert_settled(bytes, late.load_id, 1, "late").await.unwrap();
    assert_eq!(service.database.number("count() FROM events").await, 7);
    warehouse.commit(&late).await.unwrap();
    assert_eq!((service.database.number("count() FROM events").await, service.database.number("count() FROM clicks").await), (3, 3));
    // Who comes late with a load that counts deletes nothing.
    let first = Commit { load_id: warehouse_load(&service).await, ..late };
    warehouse.commit(&first).await.unwrap();
    assert_eq!(service.database.number("count() FROM clicks").await, 3);
}

async fn warehouse_load(service: &Service) -> Uuid {
    let sql = "SELECT toString(load_id) FROM commits WHERE version = 1";
    let text: String = service.database.warehouse.client().query(sql).fetch_one().await.unwrap();
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_settled_while_clickhouse_is_restored() {
    let service = Service::start().await;
    service.append(0, 0, &days()).await;
    let settle = Settle::new(Arc::clone(&service.lake), service.database.warehouse.clone());
    let shadow = service.database.warehouse.shadow(0).await.unwrap();
    let report = settle.run().await.unwrap();
    assert_eq!((report.waits, report.versions), (true, 0));
    shadow.end().await.unwrap();
    let report = settle.run().await.unwrap();
    assert_eq!((report.waits, report.rows), (false, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_expired_are_gone_from_events_and_stay_in_marts() {
    let service = Service::start().await;
    service.append(0, 0, &days()[..2]).await;
    service.append(0, 2, &days()[2..]).await;
    service.settle().run().await.unwrap();
    let base = service.lake.snapshot().await.unwrap();
    let before: Day = "2026-11-25".parse().unwrap();
    let removed = base.files.iter().filter(|file| file.occurred_at_max < begin_of(before)).cloned().collect();
    service.lake.expire(&base, &Expiry { before, removed, rows: [(place("l", 0), 2)].into() }).await.unwrap();
    // A run that died between the rows and the version is done again.
    service.database.warehouse.expire_settled(before, 3).await.unwrap();
    let report = service.settle().run().await.unwrap();
    assert_eq!((report.version, report.versions, report.rows, report.days.len()), (Some(3), 1, 0, 0), "{report:?}");
    assert_eq!(service.database.warehouse.newest_commit().await.unwrap().unwrap().watermarks["l/0"], 4);
    assert_eq!((service.database.number("count() FROM events").await, service.database.number("count() FROM clicks").await), (2, 2));
    assert_eq!(service.mart().await, ["2026-11-24 2", "2026-11-25 2"]);
    // An event of the closed day comes late: it counts in no mart, and appends go on.
    service.append(0, 4, &[click(5, 0), click(6, 86_400)]).await;
    service.settle().run().await.unwrap();
    assert_eq!(service.mart().await, ["2026-11-24 2", "2026-11-25 3"]);
    assert_eq!(service.database.number("count() FROM clicks").await, 4);
}
