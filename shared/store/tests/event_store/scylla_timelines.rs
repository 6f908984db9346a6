//! Timelines and rejections that are spread over many partitions.

use clickstream_event::{Logged, Micros};
use clickstream_store::{
    Cursor, EventStore, Found, LoggedRejection, Person,
    conformance::{event, rejection},
};

use crate::cassandra;

const SITE: &str = "shop";

fn by_ann(seconds: i64) -> Logged {
    let mut logged = event(SITE, seconds);
    logged.event.user_id = Some("ann".to_owned());
    logged
}

/// Fourteen months with something nearly every day, then nothing for years, then two events of another century.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeline_over_years_is_paged_without_gap() {
    let config = cassandra::keyspace().await;
    let store = cassandra::connect(&config).await;
    let day = Micros::DAY / Micros::SECOND;
    let mut events: Vec<Logged> = (0..1_300).map(|n| by_ann(-n * day / 3)).collect();
    events.extend([by_ann(-3_000_000_000), by_ann(-3_000_000_001)]);
    // Another person's months are not in ann's way.
    let others = (0..60).map(|n| {
        let mut logged = event(SITE, -n * 20 * day);
        logged.event.user_id = Some("bob".to_owned());
        logged
    });
    let others: Vec<_> = others.collect();
    for some in [events.as_slice(), &others] {
        for some in some.chunks(500) {
            store.put_events(some).await.unwrap();
        }
    }
    let ann = Person::User("ann".to_owned());
    for size in [7, 100, 1_302, 5_000] {
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = store.timeline(SITE, &ann, after, size).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(Cursor { original_at: last.event.original_at, event_id: last.event.event_id });
            paged.extend(page);
        }
        assert_eq!(paged, events, "pages of {size}");
    }
    assert!(store.timeline(SITE, &Person::User("nobody".to_owned()), None, 10).await.unwrap().is_empty());
    cassandra::remove(&config).await;
}

/// More of one moment, and more replaced ones before it, than are read at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_replaced_copies_do_not_shorten_a_page() {
    let config = cassandra::keyspace().await;
    let store = cassandra::connect(&config).await;
    let stays: Vec<Logged> = (0..40).map(by_ann).collect();
    let moved: Vec<Logged> = (100..1_400).map(by_ann).collect();
    let earlier = moved.iter().map(|logged| {
        let mut copy = logged.clone();
        copy.event.received_at = copy.event.received_at.plus(-1);
        copy.event.user_id = Some("bob".to_owned());
        copy
    });
    let earlier: Vec<_> = earlier.collect();
    for some in [&stays, &moved, &earlier] {
        store.put_events(some).await.unwrap();
    }
    let page = store.timeline(SITE, &Person::User("ann".to_owned()), None, 30).await.unwrap();
    assert_eq!(page, stays.iter().rev().take(30).cloned().collect::<Vec<_>>());
    let bobs = store.timeline(SITE, &Person::User("bob".to_owned()), None, 2_000).await.unwrap();
    assert_eq!(bobs.len(), 1_300);
    cassandra::remove(&config).await;
}

/// Hundreds of buckets, a few rejections in each; long texts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_rejections_are_found_over_many_buckets_and_long_ones_whole() {
    let config = cassandra::keyspace().await;
    let store = cassandra::connect(&config).await;
    let mut all: Vec<LoggedRejection> = (0..1_500).map(|n| rejection(["a", "b", "c"][n as usize % 3], n * 211)).collect();
    // As long as a record of a file may be, and hardly to be compressed.
    all[77].rejection.original = (0..(4 << 20) / 32).map(|_| uuid::Uuid::new_v4().simple().to_string()).collect();
    all[78].rejection.original = "\u{1}".repeat(4 << 20);
    for some in all.chunks(400) {
        store.put_rejections(some).await.unwrap();
    }
    all.sort_by_key(|r| std::cmp::Reverse((r.rejection.received_at, r.log_partition, r.log_offset)));
    assert_eq!(store.rejections(None, 300).await.unwrap(), all[..300]);
    assert_eq!(store.rejections(None, 10_000).await.unwrap(), all);
    let of_b: Vec<_> = all.iter().filter(|r| r.rejection.site_id.as_deref() == Some("b")).cloned().collect();
    assert_eq!(store.rejections(Some("b"), 450).await.unwrap(), of_b[..450]);
    let long = all.iter().max_by_key(|r| r.rejection.original.len()).unwrap();
    let found = store.find(None, long.rejection.event_id.unwrap()).await.unwrap();
    assert_eq!(found, Some(Found::Rejected(Box::new(long.clone()))));
    cassandra::remove(&config).await;
}
