//! Events by id.

use std::sync::Arc;

use clickstream_event::Micros;
use uuid::Uuid;

use super::{
    Subject,
    sample::{assert_added, copy, event, kept, site},
};
use crate::{CopyAt, Found};

/// Nothing of an event is lost or changed, properties keep their very text.
pub async fn an_event_is_found_by_its_id_with_every_field(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let event = event(&site(), 5);
    store.put_events(std::slice::from_ref(&event)).await.unwrap();
    assert_eq!(kept(&store, &event).await.as_ref(), Some(&event));
    let anywhere = store.find(None, event.event.event_id).await.unwrap();
    assert_eq!(anywhere, Some(Found::Event(Box::new(event))));
}

/// Unknown ids, and known ones on another site.
pub async fn an_id_never_seen_is_not_found(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let event = event(&site(), 5);
    store.put_events(std::slice::from_ref(&event)).await.unwrap();
    store.put_events(&[]).await.unwrap();
    assert_eq!(store.find(None, Uuid::new_v4()).await.unwrap(), None);
    assert_eq!(store.find(Some(&site()), event.event.event_id).await.unwrap(), None);
}

/// Identity is site and id.
pub async fn the_same_id_on_two_sites_is_two_events(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let first = event(&site(), 5);
    let mut second = event(&site(), 6);
    second.event.event_id = first.event.event_id;
    store.put_events(&[first.clone(), second.clone()]).await.unwrap();
    assert_eq!(kept(&store, &first).await.as_ref(), Some(&first));
    assert_eq!(kept(&store, &second).await.as_ref(), Some(&second));
    let anywhere = store.find(None, first.event.event_id).await.unwrap();
    assert!(matches!(anywhere, Some(Found::Event(_))));
}

/// A redelivered batch.
pub async fn putting_an_event_again_changes_nothing(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let site = site();
    let events: Vec<_> = (0..100).map(|i| event(&site, i)).collect();
    let before = store.count().await.unwrap();
    for _ in 0..3 {
        store.put_events(&events).await.unwrap();
    }
    assert_added(&store, before, 100).await;
    for event in &events {
        assert_eq!(kept(&store, event).await.as_ref(), Some(event));
    }
}

/// In whatever order copies come, together or apart, and however often.
pub async fn every_copy_is_known_by_its_place(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let event = event(&site(), 100);
    let at = event.event.received_at.0;
    let copies = [copy(&event, at, 1, 7), copy(&event, at + 1, 0, 3), copy(&event, at + 1, 0, 4), copy(&event, at + 2, 1, 1)];
    for some in [&copies[1..3], &copies[3..], &copies[..1], &copies[..]] {
        store.put_events(some).await.unwrap();
    }
    let place =
        |of: &clickstream_event::Logged| CopyAt { received_at: of.event.received_at, partition: of.log_partition, offset: of.log_offset };
    let known = store.copies(&event.event.site_id, event.event.event_id).await.unwrap();
    assert_eq!(known, copies.iter().map(place).collect::<Vec<_>>());
    assert!(store.copies(&site(), event.event.event_id).await.unwrap().is_empty());
}

/// The copy with the lowest `received_at` wins, before and after others.
pub async fn the_first_received_copy_stays_whatever_order_copies_come_in(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let site = site();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let event = event(&site, 100);
        let at = event.event.received_at.0;
        let copies = [copy(&event, at, 3, 9), copy(&event, at + 1, 0, 1), copy(&event, at + Micros::HOUR, 1, 0)];
        for i in order {
            store.put_events(std::slice::from_ref(&copies[i])).await.unwrap();
        }
        assert_eq!(kept(&store, &event).await.as_ref(), Some(&copies[0]), "order {order:?}");
    }
}

/// Ties go by partition, then by offset.
pub async fn a_copy_received_at_the_same_moment_gives_way_by_partition_and_offset(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let event = event(&site(), 100);
    let at = event.event.received_at.0;
    for (partition, offset) in [(2, 5), (1, 900), (1, 10), (1, 11), (3, 0)] {
        store.put_events(&[copy(&event, at, partition, offset)]).await.unwrap();
    }
    let kept = kept(&store, &event).await.unwrap();
    assert_eq!((kept.log_partition, kept.log_offset), (1, 10));
}

/// Repeats within one call too.
pub async fn a_put_of_many_events_with_repeats_counts_each_once(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let site = site();
    let events: Vec<_> = (0..1_000).map(|i| event(&site, i)).collect();
    let later = events.iter().map(|e| copy(e, e.event.received_at.0 + 1, 0, 0));
    let all: Vec<_> = later.chain(events.iter().cloned()).collect();
    let before = store.count().await.unwrap();
    store.put_events(&all).await.unwrap();
    assert_added(&store, before, 1_000).await;
    for event in events.iter().step_by(37) {
        assert_eq!(kept(&store, event).await.as_ref(), Some(event));
    }
}

/// Several callers.
pub async fn puts_at_the_same_time_lose_nothing(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let site = site();
    let before = store.count().await.unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..8 {
        let (store, site) = (store.clone(), site.clone());
        callers.spawn(async move {
            let events: Vec<_> = (0..50).map(|i| event(&site, caller * 100 + i)).collect();
            for some in events.chunks(10) {
                store.put_events(some).await.unwrap();
            }
            events
        });
    }
    let events = callers.join_all().await.concat();
    assert_added(&store, before, 400).await;
    for event in &events {
        assert_eq!(kept(&store, event).await.as_ref(), Some(event));
    }
}

/// An answered put is durable.
pub async fn what_was_put_is_there_after_reopening(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let site = site();
    let events: Vec<_> = (0..200).map(|i| event(&site, i)).collect();
    let rejection = super::rejection(&site, 1);
    store.put_events(&events).await.unwrap();
    store.put_rejections(std::slice::from_ref(&rejection)).await.unwrap();
    let count = store.count().await.unwrap();
    drop(store);
    let store = subject.reopen().await;
    assert_eq!(store.count().await.unwrap(), count);
    for event in &events {
        assert_eq!(kept(&store, event).await.as_ref(), Some(event));
    }
    assert_eq!(store.rejections(Some(&site), 10).await.unwrap(), [rejection]);
}
