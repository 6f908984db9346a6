//! Topics of the embedded log.

use std::{sync::Arc, time::Duration};

use clickstream_event::Micros;
use clickstream_log::{BatchLimits, EVENTS, Log as _, REJECTED, Record, sqlite::SqliteLog};
use clickstream_retention::{KeptTopic, Retention, RetentionRequest, Topics};

use crate::service::{Service, of};

fn records(count: usize) -> Vec<Record> {
    (0..count).map(|n| Record { value: n.to_string().into(), ..Record::default() }).collect()
}

/// A group does the first records of a partition of `EVENTS`.
async fn does(log: &SqliteLog, group: &str, next: u64) {
    let limits = BatchLimits { max_records: 100, max_bytes: 1 << 20, window: Duration::from_millis(1) };
    let mut consumer = log.subscribe(group, &[EVENTS], limits).await.unwrap();
    consumer.next().await.unwrap();
    consumer.commit(EVENTS, 0, next).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn records_go_once_they_are_old_and_every_group_has_done_them() {
    let (service, folder) = (Service::start().await, tempfile::tempdir().unwrap());
    let log = SqliteLog::open(folder.path()).unwrap();
    for topic in [EVENTS, REJECTED] {
        log.create_topic(topic, 1).await.unwrap();
        log.append(topic, records(6)).await.unwrap();
    }
    let between = service.a_while().await;
    log.append(EVENTS, records(4)).await.unwrap();
    does(&log, "store", 10).await;
    does(&log, "land", 5).await;
    let run = async |ahead: i64, dry_run: bool| {
        let kept = [(EVENTS, vec!["store", "land"], 7), (REJECTED, vec!["store"], 30)];
        let kept = kept.map(|(topic, groups, days)| KeptTopic { topic, groups, days }).to_vec();
        let stores = service.stores().with_topics(Some(Topics { log: Arc::new(log.clone()), kept }));
        let retention = Retention::new(stores, service.settings).with_clock(move || between.plus(ahead));
        let report = retention.run(RetentionRequest { dry_run }).await.whole().unwrap();
        let start = log.extents(EVENTS).await.unwrap()[0].start;
        (of(&report, "topic events").removed.unwrap(), of(&report, "topic rejected").removed.unwrap(), start)
    };
    // Young; done by one group alone; old and done.
    assert_eq!(run(6 * Micros::DAY, false).await, (0, 0, 0));
    assert_eq!(run(7 * Micros::DAY, true).await, (5, 0, 0));
    assert_eq!(run(7 * Micros::DAY, false).await, (5, 0, 5));
    assert_eq!(run(7 * Micros::DAY, false).await, (0, 0, 5));
    does(&log, "land", 9).await;
    assert_eq!(run(7 * Micros::DAY, false).await, (1, 0, 6), "what came later is young");
    assert_eq!(run(31 * Micros::DAY, false).await, (3, 0, 9), "rejected records that no group has done stay");
    let left = log.read(EVENTS, 0, 0, 10, 1 << 20).await.unwrap();
    assert_eq!(left.iter().map(|record| record.offset).collect::<Vec<_>>(), [9]);
}
