//! What the ledger asks and keeps.

use clickstream_event::Micros;

use super::{
    database, drop_database,
    sample::{LOG, event, object},
    settling::settle,
};
use crate::LedgerRow;

/// Rows come back by the hour, each the difference to the hour before.
pub async fn the_ledger_is_kept_and_says_how_far_steps_came_within_an_hour(url: String) {
    let warehouse = database(&url).await;
    let now = Micros::now().0;
    let hour = now - now.rem_euclid(Micros::HOUR);
    let row = |at: i64, logged: u64, settled: u64| LedgerRow {
        at,
        topic: "events".to_owned(),
        log_id: LOG.to_owned(),
        logged,
        stored: logged,
        settled,
        ..LedgerRow::default()
    };
    let rows = [row(hour - Micros::HOUR + 1, 10, 0), row(hour - 1, 30, 10), row(hour, 45, 30), row(now, 50, 30)];
    warehouse.write_ledger(&rows).await.unwrap();
    let mut received = event("s", 0, "p");
    received.received_at = Micros(now);
    settle(&warehouse, 1, 0, &[received], 1).await;
    let hours = warehouse.ledger_hours(24).await.unwrap();
    let steps: Vec<_> = hours.iter().map(|h| (h.logged, h.stored, h.settled, h.received)).collect();
    assert_eq!(steps, [(30, 30, 10, 0), (20, 20, 20, 1)], "{hours:?}");
    warehouse.note_repair("lost_notification", "raw/events/l/00000/x", 3).await.unwrap();
    let repairs = warehouse.repairs(5).await.unwrap();
    assert_eq!((repairs.len(), repairs[0].kind.as_str(), repairs[0].count), (1, "lost_notification", 3));
    drop_database(&warehouse).await;
}

/// An event is loaded wherever it stands and whichever copy of it does.
pub async fn what_is_not_loaded_is_found(url: String) {
    let warehouse = database(&url).await;
    let events: Vec<_> = (0..4).map(|n| event("s", n, "p")).collect();
    settle(&warehouse, 1, 0, &events[..1], 1).await;
    warehouse.insert_raw(object(1, &events[1..3])).await.unwrap();
    warehouse.insert_raw(object(7, &events[1..2])).await.unwrap();
    let identity = |n: usize| (events[n].site_id.clone(), events[n].event_id);
    let lacking = warehouse.not_loaded(&[identity(0), identity(1), identity(2), identity(3)]).await.unwrap();
    assert_eq!(lacking, [identity(3)]);
    assert_eq!(warehouse.not_loaded(&[("t".to_owned(), events[0].event_id)]).await.unwrap().len(), 1);
    assert_eq!(warehouse.fresh_offsets(LOG, 0, 2, 8).await.unwrap(), 2);
    assert_eq!(warehouse.settled_by_place().await.unwrap(), [("log/0".to_owned(), 1)].into());
    assert_eq!(warehouse.shown_by_place().await.unwrap(), [("log/0".to_owned(), 3)].into());
    drop_database(&warehouse).await;
}
