//! The event store.

use std::sync::Arc;

use clickstream_event::{Event, Logged, Micros, Reason, ReasonCode, Rejection, Shape, Source};
use clickstream_retention::{KeptEvents, Retention, RetentionRequest};
use clickstream_store::{LoggedRejection, SharedStore, sqlite::SqliteStore};
use clickstream_testkit::sample::click;
use uuid::Uuid;

use crate::service::{Service, of};

fn received(id: u128, days_ago: i64) -> Logged {
    let event = Event { received_at: Micros::now().plus(-days_ago * Micros::DAY), ..click(id, 0) };
    Logged { log_partition: 0, log_offset: id as u64, event }
}

fn rejected(offset: u64, days_ago: i64) -> LoggedRejection {
    let rejection = Rejection {
        site_id: Some("shop".to_owned()),
        event_id: Some(Uuid::from_u128(1_000 + u128::from(offset))),
        message_id: None,
        received_at: Micros::now().plus(-days_ago * Micros::DAY),
        source: Source::Http,
        shape: Shape::Clicks,
        reasons: vec![Reason::new(ReasonCode::TimeInvalid, "createdAt", "cannot be read")],
        original: "{}".to_owned(),
    };
    LoggedRejection { log_partition: 0, log_offset: offset, rejection }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_go_by_their_setting_and_rejected_records_after_thirty_days() {
    let (service, folder) = (Service::start().await, tempfile::tempdir().unwrap());
    let store: SharedStore = Arc::new(SqliteStore::open(folder.path()).unwrap());
    store.put_events(&[received(1, 50), received(2, 41), received(3, 39), received(4, 0)]).await.unwrap();
    store.put_rejections(&[rejected(1, 31), rejected(2, 29)]).await.unwrap();
    let retention = Retention::new(service.stores().with_events(KeptEvents { store: Arc::clone(&store), days: 40 }), service.settings);
    for (dry_run, went) in [(true, (Some(2), Some(1))), (false, (Some(2), Some(1))), (false, (Some(0), Some(0)))] {
        let report = retention.run(RetentionRequest { dry_run }).await.whole().unwrap();
        assert_eq!((of(&report, "event store").removed, of(&report, "rejected records").removed), went, "{report:?}");
        let left = if dry_run { (4, 2) } else { (2, 1) };
        assert_eq!((store.count().await.unwrap(), store.rejections(None, 10).await.unwrap().len()), (Some(left.0), left.1));
    }
    for (id, there) in [(2, false), (3, true)] {
        assert_eq!(store.find(Some("shop"), Uuid::from_u128(id)).await.unwrap().is_some(), there);
    }
}
