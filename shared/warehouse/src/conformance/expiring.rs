//! Days whose events expire.

use super::{count, database, day, drop_database, sample::event, settling::settle};
use crate::{Day, Report, ReportQuery, Table, Warehouse};

async fn reports(warehouse: &Warehouse, from: Day, to: Day) -> Vec<Table> {
    let mut tables = Vec::new();
    for report in Report::ALL.into_iter().filter(|report| *report != Report::Heatmap) {
        tables.push(warehouse.report(&ReportQuery { report, site: "s".to_owned(), from, to, path: None }).await.unwrap());
    }
    tables
}

/// Their events go, of earlier versions alone; marts of theirs and reports say what they said, whatever is rebuilt.
pub async fn expired_days_leave_events_and_stay_in_marts_and_reports(url: String) {
    let warehouse = database(&url).await;
    let (first, second) = (day(), day().tomorrow().unwrap());
    let mut events: Vec<_> = (0..30).map(|n| event("s", n * 400, &format!("p{}", n % 7))).collect();
    events.extend((0..20).map(|n| event("s", 86_400 + n * 500, &format!("p{}", n % 5))));
    settle(&warehouse, 1, 0, &events, 50).await;
    warehouse.rebuild_marts(&[first, second]).await.unwrap();
    assert!(count(&warehouse, "person_daily").await > 0);
    let (said, marts) = (reports(&warehouse, first, second).await, count(&warehouse, "user_activity_daily").await);
    assert_eq!(warehouse.closed_before().await.unwrap(), None);

    warehouse.expire_settled(second, 2).await.unwrap();
    settle(&warehouse, 2, 0, &[], 50).await;
    assert_eq!((warehouse.closed_before().await.unwrap(), count(&warehouse, "settled").await), (Some(second), 20));
    let people = format!("person_daily WHERE day < '{second}'");
    assert_eq!(count(&warehouse, &people).await, 0, "rows that are single people go with the events");
    // An event of the closed day that came later, and a settler that stood still and does the same once more.
    settle(&warehouse, 3, 50, &[event("s", 5, "late")], 51).await;
    warehouse.expire_settled(second, 2).await.unwrap();
    assert_eq!((count(&warehouse, "settled").await, count(&warehouse, "closed").await), (21, 1));
    for rebuilt in 0..3 {
        assert!(reports(&warehouse, first, second).await == said, "reports differ after {rebuilt} rebuilds");
        assert_eq!(reports(&warehouse, first, first).await[0].rows, said[0].rows[..1]);
        if rebuilt == 0 {
            warehouse.rebuild_marts(&[first, second]).await.unwrap();
        } else {
            warehouse.rebuild_all_marts().await.unwrap();
        }
    }
    assert_eq!((count(&warehouse, "user_activity_daily").await, count(&warehouse, &people).await), (marts, 0));
    warehouse.expire_settled(second, 4).await.unwrap();
    assert_eq!(count(&warehouse, "settled").await, 20);
    // The setting closes what has not expired yet.
    let closing = warehouse.clone().closing_after(Some(30));
    warehouse.query("ALTER TABLE events DELETE WHERE true").with_setting("mutations_sync", "1").execute().await.unwrap();
    closing.rebuild_all_marts().await.unwrap();
    assert_eq!(count(&warehouse, "user_activity_daily").await, marts);
    drop_database(&warehouse).await;
}
