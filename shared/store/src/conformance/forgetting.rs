//! Expiry. A store forgets when it is told to, by moments that lie centuries back, where no other check has events; or
//! what is put ends by itself.

use std::{sync::Arc, time::Duration};

use clickstream_event::{Logged, Micros};

use super::{
    Subject, event, rejection,
    sample::{BEGIN, assert_added, kept, site},
};
use crate::{Person, Retention, SharedStore};

/// Seconds that go back to the year 1700 or so.
const PAST: i64 = -10_000_000_000;
const NEVER: Micros = Micros(i64::MIN);
/// What ends by itself is kept for a day.
const A_DAY: Retention = Retention { event_days: 1, rejection_days: 1 };
/// Within this time something that ends in a few seconds must be gone.
const DEADLINE: Duration = Duration::from_mins(1);

fn past(seconds: i64) -> Micros {
    Micros(BEGIN + (PAST + seconds) * Micros::SECOND)
}

/// A moment that is a day over in so many seconds.
fn over_in(seconds: i64) -> Micros {
    Micros::now().plus(seconds * Micros::SECOND - Micros::DAY)
}

/// An event by ann that was received then.
fn by_ann(site: &str, received_at: Micros) -> Logged {
    let mut logged = event(site, 0);
    logged.event.user_id = Some("ann".to_owned());
    (logged.event.received_at, logged.event.original_at) = (received_at, received_at);
    logged
}

async fn present(store: &SharedStore, events: &[Logged]) -> Vec<bool> {
    let mut present = Vec::new();
    for event in events {
        present.push(kept(store, event).await.is_some());
    }
    present
}

/// Waits until `event` is gone.
async fn gone(store: &SharedStore, event: &Logged) {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while kept(store, event).await.is_some() {
        assert!(tokio::time::Instant::now() < deadline, "still there after {DEADLINE:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// To the microsecond, in timelines and counts too, also within what was put together. What ends by itself ends within
/// seconds, and what was over when it was put is not there at all.
pub async fn events_received_before_a_moment_are_forgotten_and_no_others(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let (site, ann) = (site(), Person::User("ann".to_owned()));
    if let Some(store) = subject.keeping(A_DAY).await {
        let events = [-10, 10, 3_600, 86_400].map(|seconds| by_ann(&site, over_in(seconds)));
        store.put_events(&events).await.unwrap();
        assert_eq!(present(&store, &events).await, [false, true, true, true]);
        gone(&store, &events[1]).await;
        assert_eq!(present(&store, &events).await, [false, false, true, true]);
        let left = store.timeline(&site, &ann, None, 10).await.unwrap();
        assert_eq!(left, [events[3].clone(), events[2].clone()]);
        store.expire(Micros::now(), NEVER).await.unwrap();
        assert_eq!(store.timeline(&site, &ann, None, 10).await.unwrap(), left);
        return;
    }
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
    let before = store.count().await.unwrap().map(|all| all - 3_000);
    let moment = past(1_200);
    store.expire(moment, NEVER).await.unwrap();
    assert_added(&store, before, 1_800).await;
    let expected: Vec<_> = events.iter().map(|e| e.event.received_at >= moment).collect();
    assert_eq!(present(&store, &events).await, expected);
    assert_eq!(store.timeline(&site, &ann, None, 5_000).await.unwrap().len(), 1_800);

    store.expire(past(5_000), NEVER).await.unwrap();
    assert_added(&store, before, 0).await;
    assert!(store.timeline(&site, &ann, None, 5_000).await.unwrap().is_empty());
}

/// Rejections live shorter than events.
pub async fn rejections_are_forgotten_by_a_moment_of_their_own(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let site = site();
    if let Some(store) = subject.keeping(Retention { event_days: 2, ..A_DAY }).await {
        let received = [-10, 5, 3_600].map(over_in);
        let mut rejections = received.map(|_| rejection(&site, 0));
        for (logged, at) in rejections.iter_mut().zip(received) {
            logged.rejection.received_at = at;
        }
        let event = by_ann(&site, received[0]);
        store.put_rejections(&rejections).await.unwrap();
        store.put_events(std::slice::from_ref(&event)).await.unwrap();
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while store.rejections(Some(&site), 10).await.unwrap() != rejections[2..] {
            assert!(tokio::time::Instant::now() < deadline, "still there after {DEADLINE:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(store.find(Some(&site), rejections[1].rejection.event_id.unwrap()).await.unwrap(), None);
        assert!(kept(&store, &event).await.is_some());
        return;
    }
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
    if let (Some(a_day), Some(a_week)) = (subject.keeping(A_DAY).await, subject.keeping(Retention { event_days: 7, ..A_DAY }).await) {
        let event = by_ann(&site(), over_in(3));
        a_day.put_events(std::slice::from_ref(&event)).await.unwrap();
        gone(&store, &event).await;
        a_week.put_events(std::slice::from_ref(&event)).await.unwrap();
        assert_eq!(kept(&store, &event).await, Some(event));
        return;
    }
    let event = event(&site(), PAST);
    for _ in 0..2 {
        store.put_events(std::slice::from_ref(&event)).await.unwrap();
        assert!(kept(&store, &event).await.is_some());
        store.expire(past(1), NEVER).await.unwrap();
        assert!(kept(&store, &event).await.is_none());
    }
}
