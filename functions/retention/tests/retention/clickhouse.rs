//! Rows of ClickHouse that no report reads any more.

use bytes::Bytes;
use clickstream_columns::{event_schema, raw_batch, write_lake_file};
use clickstream_testkit::sample::{click, rows};
use uuid::Uuid;

use crate::service::Service;

#[tokio::test(flavor = "multi_thread")]
async fn fresh_rows_go_two_hours_after_they_are_settled() {
    let service = Service::start().await;
    for (first, id) in [(0, 1), (1, 2)] {
        let key = service.land(0, first, &[click(id, 0)]).await;
        service.load(&key).await;
        if id == 1 {
            service.compact_and_settle().await;
        }
    }
    assert_eq!((service.removed("fresh rows").await, service.count("fresh").await, service.count("clicks").await), (0, 2, 2));
    service.sql("ALTER TABLE commits UPDATE committed_at = committed_at - INTERVAL 121 MINUTE WHERE true").await;
    service.removed("fresh rows").await;
    assert_eq!(service.count("clicks").await, 2, "the one that is not settled stays");
    service.compact_and_settle().await;
    service.sql("ALTER TABLE commits UPDATE committed_at = committed_at - INTERVAL 121 MINUTE WHERE true").await;
    assert_eq!(service.removed("fresh rows").await, 1);
    assert_eq!((service.count("fresh").await, service.count("clicks").await), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn loads_that_a_dead_settler_left_go_after_a_day_and_what_counts_never() {
    let service = Service::start().await;
    service.land(0, 0, &[click(1, 0)]).await;
    service.compact_and_settle().await;
    let raw = raw_batch("l", 0, &rows(0, &[click(1, 0)])).unwrap();
    let columns: Vec<usize> = (0..event_schema().fields().len()).collect();
    let file: Bytes = write_lake_file([Ok(raw.project(&columns).unwrap())]).unwrap();
    service.database.warehouse.insert_settled(file, Uuid::now_v7(), 9, "dead").await.unwrap();
    assert_eq!((service.removed("abandoned loads").await, service.count("events").await), (0, 2));
    service.sql("ALTER TABLE loads UPDATE started_at = started_at - INTERVAL 25 HOUR WHERE true").await;
    assert_eq!((service.removed("abandoned loads").await, service.count("events").await, service.count("clicks").await), (1, 1, 1));
}
