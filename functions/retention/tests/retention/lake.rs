//! Days that leave the lake, and with it ClickHouse.

use std::{sync::Arc, time::Duration};

use clickstream_compact::{LakeSettings, Merge};
use clickstream_event::{Event, Micros};
use clickstream_lake::{Change, LakeDays, Vacuum, place};
use clickstream_retention::{RetentionReport, RetentionRequest, RetentionSettings};
use clickstream_testkit::sample::{BEGIN, click};
use clickstream_warehouse::{Report, ReportQuery, Table};

use crate::service::{Service, of};

/// From [`BEGIN`] to midnight, seconds.
pub const MIDNIGHT: i64 = 14 * 3_600;

impl Service {
    /// The first day that stays is 2026-11-25: the day of [`BEGIN`] goes.
    pub async fn expire_first_day(&self, dry_run: bool) -> RetentionReport {
        // That clock is far ahead of the one by which versions were committed.
        let settled_within = Duration::from_hours(24 * 1_000);
        let settings = RetentionSettings { lake_days: LakeDays::parse("60").unwrap(), settled_within, ..self.settings };
        let now = BEGIN.plus(61 * Micros::DAY);
        let retention = clickstream_retention::Retention::new(self.stores(), settings).with_clock(move || now);
        retention.run(RetentionRequest { dry_run }).await.whole().unwrap()
    }

    async fn rows_expired(&self) -> u64 {
        of(&self.expire_first_day(false).await, "lake").removed.unwrap()
    }

    async fn reports(&self) -> Vec<Table> {
        let mut tables = Vec::new();
        for report in Report::ALL.into_iter().filter(|report| *report != Report::Heatmap) {
            let (from, to) = ("2026-11-20".parse().unwrap(), "2026-11-25".parse().unwrap());
            tables.push(
                self.database.warehouse.report(&ReportQuery { report, site: "shop".to_owned(), from, to, path: None }).await.unwrap(),
            );
        }
        tables
    }

    /// Rows that the lake says to have, and those that expired.
    async fn counted(&self) -> (u64, u64) {
        let counts = self.lake.counts(self.lake.snapshot().await.unwrap().version).await.unwrap();
        (counts.values().map(|counts| counts.rows).sum(), counts.values().map(|counts| counts.expired).sum())
    }
}

/// One file of the first day, one of both, one of the second.
pub async fn two_days() -> Service {
    let service = Service::start().await;
    let files = [
        vec![click(1, 0), click(2, 60)],
        vec![click(3, MIDNIGHT - 1), click(4, MIDNIGHT), click(5, MIDNIGHT + 60)],
        vec![click(6, 86_400)],
    ];
    let mut offset = 0;
    for events in files {
        service.land(0, offset, &events).await;
        offset += events.len() as u64;
        service.compact().await;
    }
    service.settle().await;
    service
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_days_leave_lake_and_clickhouse_and_stay_in_marts() {
    let service = two_days().await;
    let (reports, marts) = (service.reports().await, service.count("user_activity_daily").await);
    let version = service.lake.snapshot().await.unwrap().version;
    let would = service.expire_first_day(true).await;
    assert_eq!((of(&would, "lake").removed, service.lake.snapshot().await.unwrap().version), (Some(3), version));

    assert_eq!((service.rows_expired().await, service.ids().await), (3, vec![4, 5, 6]));
    assert_eq!(service.counted().await, (3, 3));
    // The file of both days was split by a version that changes no row; the next one removes.
    let versions = service.lake.versions(version + 1, version + 2).await.unwrap();
    assert!(matches!(&versions[0].change, Change::Rewrite), "{versions:?}");
    assert!(matches!(&versions[1].change, Change::Expire { before } if before.to_string() == "2026-11-25"), "{versions:?}");
    assert_eq!(versions[1].watermarks, [(place("l", 0), 6)].into());
    assert_eq!((service.rows_expired().await, service.lake.snapshot().await.unwrap().version), (0, version + 2));

    // Not settled yet: all is shown. Then the events are gone, and what was reported of them is not.
    assert_eq!(service.count("settled").await, 6);
    let settled = service.settle().await;
    assert_eq!((settled.version, settled.versions, settled.rows, settled.days.len()), (Some(version + 2), 2, 0, 0));
    assert_eq!((service.count("settled").await, service.count("events").await), (3, 3));
    service.database.warehouse.rebuild_all_marts().await.unwrap();
    assert!(service.reports().await == reports, "reports differ");
    assert_eq!(service.count("user_activity_daily").await, marts);
    assert_eq!((service.settle().await.versions, service.count("events").await), (0, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn midnight_belongs_to_the_day_that_begins() {
    let service = Service::start().await;
    let at = |id, micros: i64| {
        let at = BEGIN.plus(MIDNIGHT * Micros::SECOND + micros);
        Event { occurred_at: at, original_at: at, ..click(id, 0) }
    };
    // Statistics of the first say midnight, rounded; the second has it.
    for (offset, events) in [(0, vec![at(1, -700), at(2, -1)]), (2, vec![at(3, -1), at(4, 0)]), (4, vec![at(5, 0), at(6, 1)])] {
        service.land(0, offset, &events).await;
        service.compact().await;
    }
    assert_eq!(of(&service.expire_first_day(true).await, "lake").removed, Some(3));
    assert_eq!((service.rows_expired().await, service.ids().await), (3, vec![4, 5, 6]));
    let files = service.lake.snapshot().await.unwrap().files;
    assert_eq!((files.len(), files.iter().map(|file| file.rows).sum::<u64>()), (2, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_closed_days_that_come_late_are_taken_and_leave_again() {
    let service = two_days().await;
    service.rows_expired().await;
    service.settle().await;
    let (reports, marts) = (service.reports().await, service.count("user_activity_daily").await);
    // One is a repeat of an event that expired: nothing knows it any more.
    service.land(0, 6, &[click(7, 120), click(1, 0), click(8, 86_460)]).await;
    let report = service.compact().await;
    assert_eq!((report.rows, report.duplicates), (3, 0));
    service.settle().await;
    assert_eq!(service.count("settled").await, 6);
    let later = service.reports().await;
    let of_first_day = |tables: &[Table]| -> Vec<String> {
        let rows = tables.iter().flat_map(|table| &table.rows);
        rows.filter(|row| row["day"] == "2026-11-24").map(|row| serde_json::to_string(row).unwrap()).collect()
    };
    assert_eq!(of_first_day(&later), of_first_day(&reports));
    assert!(!of_first_day(&reports).is_empty());
    assert_eq!((service.rows_expired().await, service.ids().await), (2, vec![4, 5, 6, 8]));
    service.settle().await;
    assert_eq!((service.count("settled").await, service.count("events").await), (4, 4));
    assert_eq!((service.counted().await, service.count("user_activity_daily").await), ((4, 5), marts));
    // Repeats of what stands are repeats as before.
    service.land(0, 9, &[click(6, 86_400), click(9, 86_400)]).await;
    let report = service.compact().await;
    assert_eq!((report.rows, report.duplicates), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn merges_and_vacuum_go_on_beside_it() {
    let service = two_days().await;
    Merge::new(Arc::clone(&service.lake), LakeSettings::default()).run().await.unwrap();
    assert_eq!((service.rows_expired().await, service.ids().await), (3, vec![4, 5, 6]));
    service.settle().await;
    let version = service.lake.snapshot().await.unwrap().version;
    let stored =
        async || service.keys("lake/events/").await.iter().filter(|key| key.ends_with(".parquet") && !key.contains("_delta_log")).count();
    let before = stored().await;
    service.lake.vacuum(&Vacuum::older_than(Some(version), Micros::now().plus(Micros::HOUR))).await.unwrap();
    let files = service.lake.snapshot().await.unwrap().files;
    assert!(before > stored().await && stored().await == files.len(), "{before} files, now {files:?}");
    service.land(0, 6, &[click(7, 86_500)]).await;
    service.compact_and_settle().await;
    Merge::new(Arc::clone(&service.lake), LakeSettings::default()).run().await.unwrap();
    service.settle().await;
    assert_eq!((service.ids().await, service.count("settled").await), (vec![4, 5, 6, 7], 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_day_leaves_while_what_came_before_waits_to_be_settled_for_too_long() {
    let mut service = two_days().await.later(1_000);
    service.land(0, 6, &[click(7, 90)]).await;
    service.compact().await;
    service.settings.lake_days = LakeDays::parse("31").unwrap();
    service.settings.settled_within = Duration::from_hours(1);
    let version = service.lake.snapshot().await.unwrap().version;
    let report = service.run().await;
    let note = of(&report, "lake").note.clone().unwrap();
    assert_eq!(note, format!("lake version {version} waits to be settled for too long: nothing leaves before it is"));
    assert_eq!((of(&report, "lake").removed, service.ids().await.len()), (Some(0), 7));
    service.settle().await;
    assert_eq!((of(&service.run().await, "lake").removed, service.ids().await.len()), (Some(7), 0));
    service.settle().await;
    assert_eq!(service.count("events").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_and_a_compaction_at_once_do_no_harm() {
    let service = two_days().await;
    service.land(0, 6, &[click(7, 90), click(8, 86_500)]).await;
    let (one, other, _) = tokio::join!(service.expire_first_day(false), service.expire_first_day(false), service.compact());
    let rows = of(&one, "lake").removed.unwrap() + of(&other, "lake").removed.unwrap() + service.rows_expired().await;
    assert_eq!((rows, service.ids().await, service.counted().await), (4, vec![4, 5, 6, 8], (4, 4)));
    service.settle().await;
    assert_eq!((service.count("settled").await, service.count("events").await), (4, 4));
}
