//! A person's events.

use std::sync::Arc;

use clickstream_event::{Logged, Micros};
use uuid::Uuid;

use super::{
    Subject,
    sample::{copy, event, site},
};
use crate::{Cursor, Person, SharedStore};

fn user(id: &str) -> Person {
    Person::User(id.to_owned())
}

fn anonymous(id: &str) -> Person {
    Person::Anonymous(id.to_owned())
}

/// An event by a user and from an anonymous id.
fn by(site: &str, seconds: i64, user: Option<&str>, anonymous: Option<&str>) -> Logged {
    let mut logged = event(site, seconds);
    logged.event.user_id = user.map(str::to_owned);
    logged.event.anonymous_id = anonymous.map(str::to_owned);
    logged
}

async fn timeline(store: &SharedStore, site: &str, person: &Person) -> Vec<Logged> {
    store.timeline(site, person, None, 1_000).await.unwrap()
}

/// Order and membership, by site too.
pub async fn a_timeline_is_newest_first_and_of_one_person_only(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let (site, other) = (site(), site());
    let old = by(&site, -3_000_000_000, Some("ann"), None); // 1930
    let first = by(&site, 10, Some("ann"), None);
    let second = by(&site, 20, Some("ann"), None);
    let bob = by(&site, 15, Some("bob"), None);
    let elsewhere = by(&other, 15, Some("ann"), None);
    let all = [second.clone(), bob.clone(), first.clone(), elsewhere.clone(), event(&site, 5), old.clone()];
    store.put_events(&all).await.unwrap();
    assert_eq!(timeline(&store, &site, &user("ann")).await, [second, first, old]);
    assert_eq!(timeline(&store, &site, &user("bob")).await, [bob]);
    assert_eq!(timeline(&store, &other, &user("ann")).await, [elsewhere]);
    assert!(timeline(&store, &site, &user("nobody")).await.is_empty());
}

/// `user_id` and `anonymous_id` are not mixed.
pub async fn a_user_and_an_anonymous_id_of_the_same_text_are_two_persons(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let site = site();
    let named = by(&site, 1, Some("x"), None);
    let nameless = by(&site, 2, None, Some("x"));
    let both = by(&site, 3, Some("x"), Some("y"));
    store.put_events(&[named.clone(), nameless.clone(), both.clone()]).await.unwrap();
    assert_eq!(timeline(&store, &site, &user("x")).await, [both.clone(), named]);
    assert_eq!(timeline(&store, &site, &anonymous("x")).await, [nameless]);
    assert_eq!(timeline(&store, &site, &anonymous("y")).await, [both]);
}

/// Paging with any page size gives the same as one page.
pub async fn events_at_the_same_moment_are_ordered_by_id_and_pages_meet_without_gap(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let site = site();
    let events: Vec<_> = (0..300).map(|i| by(&site, i / 7, Some("ann"), None)).collect();
    for some in events.chunks(90) {
        store.put_events(some).await.unwrap();
    }
    let mut expected = events;
    expected.sort_by_key(|e| std::cmp::Reverse((e.event.original_at, e.event.event_id)));
    for size in [1, 7, 50, 300, 1_000] {
        let mut paged = Vec::new();
        let mut after = None;
        loop {
            let page = store.timeline(&site, &user("ann"), after, size).await.unwrap();
            assert!(page.len() <= size);
            let Some(last) = page.last() else { break };
            after = Some(Cursor { original_at: last.event.original_at, event_id: last.event.event_id });
            paged.extend(page);
        }
        assert_eq!(paged, expected, "pages of {size}");
    }
    let before_all = Cursor { original_at: Micros(0), event_id: Uuid::nil() };
    assert!(store.timeline(&site, &user("ann"), Some(before_all), 10).await.unwrap().is_empty());
}

/// An earlier copy that names another person, or another time, moves the event.
pub async fn a_replaced_copy_leaves_the_timelines_it_stood_in(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let site = site();
    let late = by(&site, 50, Some("ann"), Some("anon"));
    let mut early = copy(&late, late.event.received_at.0 - 1, 0, 0);
    early.event.user_id = Some("bob".to_owned());
    early.event.original_at = Micros(late.event.original_at.0 - 5);
    store.put_events(std::slice::from_ref(&late)).await.unwrap();
    store.put_events(std::slice::from_ref(&early)).await.unwrap();
    store.put_events(std::slice::from_ref(&late)).await.unwrap();
    assert!(timeline(&store, &site, &user("ann")).await.is_empty());
    assert_eq!(timeline(&store, &site, &user("bob")).await, [early.clone()]);
    assert_eq!(timeline(&store, &site, &anonymous("anon")).await, [early]);
}
