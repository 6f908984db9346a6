//! The ledger: every record is accounted for.

use std::time::Duration;

use crate::scene::{Scene, clicks};
use clickstream_columns::{event_schema, raw_batch, write_lake_file};
use clickstream_event::Event;
use clickstream_lake::{ErasedRow, Expiry, Rewrite, RowsByPlace, begin_of};
use clickstream_log::{EVENTS, Log as _, Record};
use clickstream_reconcile::{RebuildRequest, ReconcileRequest};
use clickstream_testkit::sample::{click, rows};
use clickstream_warehouse::{Day, LedgerRow};

fn sum(rows: &[LedgerRow], of: impl Fn(&LedgerRow) -> u64) -> u64 {
    rows.iter().map(of).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_record_is_settled_a_repeat_a_dead_letter_or_pending() {
    let scene = Scene::start().await;
    scene.take(&clicks(0..30)).await;
    // Ten repeats, five new events, and a record that is no event.
    scene.log(&clicks(20..35)).await;
    scene.log.append(EVENTS, vec![Record { value: "no event".into(), ..Record::default() }]).await.unwrap();
    let ledger = scene.ledger().await;
    assert_eq!((sum(&ledger.partitions, |r| r.logged), sum(&ledger.partitions, |r| r.pending)), (46, 16));
    assert!(ledger.balanced, "{ledger:?}");
    scene.take(&clicks(35..40)).await;

    let ledger = scene.ledger().await;
    let rows = &ledger.partitions;
    let steps = [
        sum(rows, |r| r.logged),
        sum(rows, |r| r.stored),
        sum(rows, |r| r.landed),
        sum(rows, |r| r.loaded),
        sum(rows, |r| r.settled),
        sum(rows, |r| r.duplicates),
        sum(rows, |r| r.dead_letters),
        sum(rows, |r| r.pending),
    ];
    assert_eq!(steps, [51, 51, 51, 40, 40, 10, 1, 0], "{rows:?}");
    assert!(ledger.balanced && ledger.gaps.is_empty(), "{ledger:?}");
    for row in rows {
        let accounted = row.settled + row.duplicates + row.erased + row.dead_letters + row.missing + row.pending;
        assert_eq!((accounted, row.unaccounted), (row.logged, 0), "{row:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_keeps_the_ledger_by_the_hour_and_a_dry_run_nothing() {
    let scene = Scene::start().await;
    scene.take(&clicks(0..20)).await;
    let told = scene.reconcile().run(ReconcileRequest { dry_run: true, ..ReconcileRequest::default() }).await.unwrap();
    assert!(told.balanced && told.repairs.is_empty() && told.failed.is_empty(), "{told:?}");
    assert_eq!((scene.count("ledger").await, scene.count("repairs").await), (0, 0));
    assert!(scene.run().await.balanced);
    let ledger = scene.ledger().await;
    let hours: Vec<_> = ledger.hours.iter().map(|h| (h.logged, h.stored, h.landed, h.loaded, h.settled)).collect();
    assert_eq!(hours, [(20, 20, 20, 20, 20)], "{ledger:?}");
    assert!(ledger.repairs.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_behind_by_half_of_what_its_topic_keeps_raises_the_alarm() {
    let mut scene = Scene::start().await;
    scene.log(&clicks(0..5)).await;
    scene.store().await;
    scene.settings.retention = Duration::from_secs(2);
    while scene.run().await.groups.iter().find(|g| g.group == "land").unwrap().oldest_s < 2 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let groups = scene.run().await.groups;
    let late: Vec<_> = groups.iter().filter(|g| g.late).map(|g| (g.group.as_str(), g.topic.as_str(), g.records)).collect();
    assert_eq!(late, [("land", EVENTS, 5)], "{groups:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_from_the_lake_is_accounted_for() {
    let scene = Scene::start().await;
    let events: Vec<Event> = clicks(0..10);
    scene.take(&events).await;
    // A rewrite of the lake that leaves three events out: all stand as of partition 0 from now on, but for their place.
    let base = scene.lake.snapshot().await.unwrap();
    let counts = scene.lake.counts(base.version).await.unwrap();
    assert_eq!(counts.values().map(|c| c.rows).sum::<u64>(), 10, "{counts:?}");
    let in_first = counts.get(&format!("{}/0", scene.log_id)).map_or(0, |c| c.rows) as usize;
    assert!(in_first > 3);
    let row = |e: &Event| ErasedRow { site_id: e.site_id.clone(), event_id: e.event_id, occurred_at: e.occurred_at };
    let first: Vec<Event> = {
        let mut first = Vec::new();
        for event in &events {
            let place = scene.log.read(EVENTS, 0, 0, 100, 1 << 20).await.unwrap();
            if place.iter().any(|r| serde_json::from_slice::<Event>(&r.record.value).unwrap().event_id == event.event_id) {
                first.push(event.clone());
            }
        }
        first
    };
    let kept: Vec<Event> = first[3..].to_vec();
    let others: Vec<Event> = events.iter().filter(|e| !first.contains(e)).cloned().collect();
    let columns: Vec<usize> = (0..event_schema().fields().len()).collect();
    let mut added = Vec::new();
    for (partition, events) in [(0, &kept), (1, &others)] {
        if let (Some(from), Some(to)) = (events.first(), events.last()) {
            let raw = raw_batch(&scene.log_id, partition, &rows(0, events)).unwrap().project(&columns).unwrap();
            let bytes = write_lake_file([Ok(raw)]).unwrap();
            let range = (from.original_at, to.original_at);
            added.push(scene.lake.write_file(bytes, events.len() as u64, range, range).await.unwrap());
        }
    }
    let list = scene.lake.write_erased(&first[..3].iter().map(row).collect::<Vec<_>>()).await.unwrap();
    let rewrite = Rewrite { removed: base.files.clone(), added, erased: Some(list) };
    scene.lake.rewrite(&base, &rewrite).await.unwrap();
    scene.settle().await;
    let ledger = scene.ledger().await;
    let steps = [sum(&ledger.partitions, |r| r.settled), sum(&ledger.partitions, |r| r.erased), sum(&ledger.partitions, |r| r.duplicates)];
    assert_eq!((steps, ledger.balanced), ([7, 3, 0], true), "{ledger:?}");
    // Counts go on from there.
    scene.take(&clicks(8..12)).await;
    let report = scene.run().await;
    assert!(report.balanced && report.repairs.is_empty(), "{report:?}");
    assert_eq!(sum(&report.partitions, |r| r.settled + r.erased + r.duplicates), 14);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expired_from_the_lake_is_accounted_for_and_its_marts_outlive_a_rebuild() {
    let scene = Scene::start().await;
    scene.take(&clicks(0..20)).await;
    let next_day: Vec<Event> = (20..30).map(|id| click(id, 90_000)).collect();
    scene.take(&next_day).await;
    let base = scene.lake.snapshot().await.unwrap();
    let counts = scene.lake.counts(base.version).await.unwrap();
    let before: Day = "2026-11-25".parse().unwrap();
    let removed: Vec<_> = base.files.iter().filter(|file| file.occurred_at_max < begin_of(before)).cloned().collect();
    let mut rows = RowsByPlace::new();
    for file in &removed {
        for (place, of_place) in scene.lake.counted_rows(file, &counts).await.unwrap() {
            *rows.entry(place).or_default() += of_place;
        }
    }
    assert_eq!(rows.values().sum::<u64>(), 20);
    scene.lake.expire(&base, &Expiry { before, removed, rows }).await.unwrap();
    // Before it is settled, and after.
    for settled in [30, 10] {
        let ledger = scene.ledger().await;
        let steps = [sum(&ledger.partitions, |r| r.logged), sum(&ledger.partitions, |r| r.settled), sum(&ledger.partitions, |r| r.expired)];
        assert_eq!((steps, ledger.balanced), ([30, settled, 30 - settled], true), "{ledger:?}");
        scene.settle().await;
    }
    let run = scene.run().await;
    assert!(run.balanced && run.repairs.is_empty(), "{run:?}");
    let reports = scene.reports().await;
    assert!(reports.contains("2026-11-24"), "marts of the closed day stay");

    let report = scene.reconcile().rebuild(RebuildRequest::default()).await.unwrap();
    assert_eq!((report.rows, scene.count("settled").await), (10, 10), "{report:?}");
    assert!(scene.reports().await == reports, "reports differ");
    scene.take(&clicks(28..32)).await;
    let run = scene.run().await;
    assert!(run.balanced && run.repairs.is_empty(), "{run:?}");
}
