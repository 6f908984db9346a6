//! Lake versions into ClickHouse: in order, once, and whole.

use crate::service::Service;
use clickstream_event::Event;
use clickstream_settle::{SettleError, SettleReport};
use clickstream_testkit::sample::{click, rows};
use clickstream_warehouse::{Commit, Warehouse};
use uuid::Uuid;

fn clicks(ids: std::ops::Range<u128>) -> Vec<Event> {
    ids.map(|id| click(id, 0)).collect()
}

impl Service {
    async fn texts(&self, sql: &str) -> Vec<String> {
        self.database.warehouse.client().query(sql).fetch_all().await.unwrap()
    }

    async fn count(&self, table: &str) -> u64 {
        self.database.number(&format!("count() FROM {table}")).await
    }

    /// Loads a version as a settler does that dies before it writes the row in `commits`.
    async fn load_and_die(&self, version: u64) -> Commit {
        let added = self.lake.versions(version, version).await.unwrap().remove(0);
        let load_id = Uuid::now_v7();
        for file in added.added() {
            let bytes = self.lake.read_file(&file.path).await.unwrap();
            self.database.warehouse.insert_settled(bytes, load_id, version, &file.path).await.unwrap();
        }
        Commit { version, load_id, watermarks: added.watermarks.clone(), rows: added.added().iter().map(|f| f.rows).sum() }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_gets_its_row_in_order_with_the_watermarks_of_all_partitions() {
    let service = Service::start().await;
    service.append(0, 0, &clicks(0..3)).await;
    service.append(1, 0, &clicks(10..12)).await;
    service.append(1, 2, &[]).await;
    service.append(0, 3, &clicks(3..4)).await;
    let report = service.settle().run().await.unwrap();
    assert_eq!(
        report,
        SettleReport { version: Some(4), versions: 5, rows: 6, days: vec!["2026-11-24".to_owned()], waits: false, more: false }
    );
    let rows =
        service.texts("SELECT concat(toString(version), ' ', toString(watermarks), ' ', toString(rows)) FROM commits ORDER BY version");
    let wanted = ["0 {} 0", "1 {'l/0':3} 3", "2 {'l/0':3,'l/1':2} 2", "3 {'l/0':3,'l/1':2} 0", "4 {'l/0':4,'l/1':2} 1"];
    assert_eq!(rows.await, wanted);
    let order = service.texts("SELECT toString(version) FROM commits ORDER BY committed_at");
    assert_eq!(order.await, ["0", "1", "2", "3", "4"]);
    assert_eq!((service.count("clicks").await, service.count("settled").await), (6, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_changes_nothing() {
    let service = Service::start().await;
    service.append(0, 0, &clicks(0..3)).await;
    service.settle().run().await.unwrap();
    let again = service.settle().run().await.unwrap();
    assert_eq!(again, SettleReport { version: Some(1), versions: 0, rows: 0, days: Vec::new(), waits: false, more: false });
    assert_eq!((service.count("events").await, service.count("commits").await, service.count("rebuilt").await), (3, 2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_settlers_at_the_same_time_each_version_counts_once() {
    let service = Service::start().await;
    for version in 0..4_u64 {
        service.append(0, version * 5, &clicks(u128::from(version) * 5..u128::from(version) * 5 + 5)).await;
    }
    let (one, two, three) = (service.settle(), service.settle(), service.settle());
    let (one, two, three) = tokio::join!(one.run(), two.run(), three.run());
    for report in [one, two, three] {
        assert_eq!(report.unwrap().version, Some(4));
    }
    assert_eq!((service.count("clicks").await, service.count("settled").await), (20, 20));
    assert_eq!(service.database.number("sum(clicks) FROM element_daily").await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_abandoned_before_its_row_is_never_seen_and_loaded_anew() {
    let service = Service::start().await;
    service.append(0, 0, &clicks(0..3)).await;
    let lost = service.load_and_die(1).await;
    assert_eq!((service.count("events").await, service.count("clicks").await), (3, 0));
    let report = service.settle().run().await.unwrap();
    assert_eq!((report.rows, report.version), (3, Some(1)));
    assert_ne!(service.database.warehouse.newest_commit().await.unwrap().unwrap().load_id, lost.load_id);
    assert_eq!((service.count("events").await, service.count("clicks").await), (6, 3));
    assert_eq!(service.database.number("sum(clicks) FROM element_daily").await, 3);
    assert_eq!(service.database.warehouse.abandon_loads(0).await.unwrap(), 1);
    assert_eq!((service.count("events").await, service.count("clicks").await), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_counts_once_before_while_and_after_it_is_settled() {
    let service = Service::start().await;
    let all = clicks(0..40);
    for first in (0..40).step_by(10) {
        let landed = service.bucket.land("l", 0, &rows(first as u64, &all[first..first + 10])).await;
        let (_, bytes) = clickstream_objects::Objects::get(&*service.bucket.objects, &landed.key).await.unwrap();
        service.database.warehouse.insert_raw(bytes).await.unwrap();
    }
    for first in (0..30).step_by(3) {
        service.append(0, first as u64, &all[first..first + 3]).await;
    }
    let once = "if(uniqExact(event_id) = count(), count(), 0) FROM clicks";
    assert_eq!(service.database.number(once).await, 40);
    let settle = service.settle();
    let settling = tokio::spawn(async move { settle.run().await.unwrap() });
    let mut looks = 0;
    while !settling.is_finished() {
        assert_eq!(service.database.number(once).await, 40, "after {looks} looks");
        looks += 1;
    }
    assert!(looks > 0);
    assert_eq!(settling.await.unwrap().rows, 30);
    assert_eq!((service.database.number(once).await, service.count("settled").await), (40, 30));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_is_not_whole_stays_invisible_and_stops_what_comes_after() {
    let service = Service::start().await;
    service.append(0, 0, &clicks(0..3)).await;
    service.append_said(0, 3, &clicks(3..5), 4).await;
    service.append(0, 5, &clicks(5..6)).await;
    for _ in 0..2 {
        let error = service.settle().run().await.unwrap_err();
        assert!(matches!(error, SettleError::RowsDiffer { version: 2, lake: 4, warehouse: 2 }), "{error}");
    }
    assert_eq!((service.count("clicks").await, service.count("commits").await), (3, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_settled_while_clickhouse_is_away() {
    let service = Service::start().await;
    service.append(0, 0, &clicks(0..3)).await;
    let away = clickstream_settle::Settle::new(service.lake.clone(), Warehouse::from_url("http://127.0.0.1:9").unwrap());
    assert!(matches!(away.run().await, Err(SettleError::Warehouse(_))));
    assert_eq!(service.settle().run().await.unwrap().rows, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn marts_of_touched_days_are_rebuilt_also_those_of_a_run_that_died() {
    let service = Service::start().await;
    let mart = "SELECT concat(toString(day), ' ', toString(clicks)) FROM element_daily ORDER BY day";
    service.append(0, 0, &[click(1, 0), click(2, 86_400)]).await;
    service.settle().run().await.unwrap();
    assert_eq!(service.texts(mart).await, ["2026-11-24 1", "2026-11-25 1"]);
    service.append(0, 2, &[click(3, 60)]).await;
    let report = service.settle().run().await.unwrap();
    assert_eq!(report.days, ["2026-11-24"]);
    assert_eq!(service.texts(mart).await, ["2026-11-24 2", "2026-11-25 1"]);

    // A run that died after its row in `commits` and before the marts.
    service.append(0, 3, &[click(4, 86_460), click(5, 86_470)]).await;
    let commit = service.load_and_die(3).await;
    service.database.warehouse.commit(&commit).await.unwrap();
    assert_eq!(service.texts(mart).await, ["2026-11-24 2", "2026-11-25 1"]);
    let report = service.settle().run().await.unwrap();
    assert_eq!((report.versions, report.days), (0, vec!["2026-11-25".to_owned()]));
    assert_eq!(service.texts(mart).await, ["2026-11-24 2", "2026-11-25 3"]);
}
