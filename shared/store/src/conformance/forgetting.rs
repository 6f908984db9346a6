//! Expiry. The moments lie centuries back, where no other check has events.

use std::sync::Arc;

use clickstream_event::{Logged, Micros};

use super::{
    Subject, event, rejection,
    sample::{BEGIN, kept, site},
};
use crate::{Person, SharedStore};

/// Seconds that go back to the year 1700 or so.
const PAST: i64 = -10_000_000_000;
const NEVER: Micros = Micros(i64::MIN);

fn past(seconds: i64) -> Micros {
    Micros(BEGIN + (PAST + seconds) * Micros::SECOND)
}

async fn present(store: &SharedStore, events: &[Logged]) -> Vec<bool> {
    let mut present = Vec::new();
    for event in events {
        present.push(kept(store, event).await.is_some());
    }
    present
}

/// To the microsecond, in timelines and counts too, also within what was put together.
pub async fn events_received_before_a_moment_are_forgotten_and_no_others(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let site = site();
    let events: Vec<_> = (0..3_000)
        .map(|i| {
            let mut logged = event(&site, PAST + (i * 7) % 3_000);
            logged.event.user_id = Some("ann".to_owned());
            logged
        })
        .collect();
    for some in events.chunks(700) {
        store.put_events(some).await.unwrap();
    }
    let before = store.count().await.unwrap();
    let moment = past(1_200);
    store.expire(moment, NEVER).await.unwrap();
    assert_eq!(before - store.count().await.unwrap(), 1_200);
    let expected: Vec<_> = events.iter().map(|e| e.event.received_at >= moment).collect();
    assert_eq!(present(&store, &events).await, expected);
    let ann = Person::User("ann".to_owned());
    assert_eq!(store.timeline(&site, &ann, None, 5_000).await.unwrap().len(), 1_800);

    store.expire(past(5_000), NEVER).await.unwrap();
    assert_eq!(before - store.count().await.unwrap(), 3_000);
    assert!(store.timeline(&site, &ann, None, 5_000).await.unwrap().is_empty());
}

/// Rejections live shorter than events.
pub async fn rejections_are_forgotten_by_a_moment_of_their_own(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let site = site();
    let rejections: Vec<_> = (0..1_500).map(|i| rejection(&site, PAST + i)).collect();
    let event = event(&site, PAST);
    store.put_rejections(&rejections).await.unwrap();
    store.put_events(std::slice::from_ref(&event)).await.unwrap();
    store.expire(NEVER, past(1_490)).await.unwrap();
    let left = store.rejections(Some(&site), 2_000).await.unwrap();
    assert_eq!(left.len(), 10);
    assert!(left.iter().all(|r| r.rejection.received_at >= past(1_490)));
    assert!(kept(&store, &event).await.is_some());
    store.expire(past(1), past(5_000)).await.unwrap();
    assert!(store.rejections(Some(&site), 10).await.unwrap().is_empty());
}

/// Forgetting leaves no tombstone.
pub async fn a_forgotten_event_can_be_put_again(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let event = event(&site(), PAST);
    for _ in 0..2 {
        store.put_events(std::slice::from_ref(&event)).await.unwrap();
        assert!(kept(&store, &event).await.is_some());
        store.expire(past(1), NEVER).await.unwrap();
        assert!(kept(&store, &event).await.is_none());
    }
}
