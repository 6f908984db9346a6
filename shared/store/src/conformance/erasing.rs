//! A person forgotten for good.

use std::sync::Arc;

use clickstream_event::{Logged, Micros};

use super::{
    Subject, rejection,
    sample::{BEGIN, copy, event, kept, site},
};
use crate::{ErasedEvent, Found, Person, Retention, SharedStore};

fn at(seconds: i64) -> Micros {
    Micros(BEGIN + seconds * Micros::SECOND)
}

/// An event by ann that happened and was received then.
fn by_ann(site: &str, happened: i64, received: i64) -> Logged {
    let mut logged = event(site, happened);
    (logged.event.user_id, logged.event.anonymous_id) = (Some("ann".to_owned()), Some("ann-1".to_owned()));
    logged.event.received_at = at(received);
    logged
}

fn ann() -> Person {
    Person::User("ann".to_owned())
}

async fn present(store: &SharedStore, events: &[Logged]) -> Vec<bool> {
    let mut present = Vec::new();
    for event in events {
        present.push(kept(store, event).await.is_some());
    }
    present
}

/// What was received or happened by then goes, from timelines of both ids and from the count; what came later stays.
pub async fn a_persons_events_up_to_a_moment_are_erased_and_later_ones_stay(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let site = site();
    let late = by_ann(&site, 5, 5_000);
    let ahead = by_ann(&site, 5_000, 6);
    let events = [by_ann(&site, 1, 2), late, ahead, by_ann(&site, 1_000, 1_000), by_ann(&site, 1_001, 1_001), by_ann(&site, 9_000, 9_001)];
    let before = store.count().await.unwrap();
    store.put_events(&events).await.unwrap();
    assert_eq!(store.erase(&site, &ann(), at(1_000)).await.unwrap(), 4);
    assert_eq!(present(&store, &events).await, [false, false, false, false, true, true]);
    let left = [events[5].clone(), events[4].clone()];
    for person in [ann(), Person::Anonymous("ann-1".to_owned())] {
        assert_eq!(store.timeline(&site, &person, None, 10).await.unwrap(), left);
    }
    if let (Some(before), Some(now)) = (before, store.count().await.unwrap()) {
        assert_eq!(now - before, 2);
    }
    assert_eq!(store.erase(&site, &ann(), at(1_000)).await.unwrap(), 0, "again changes nothing");
    let reopened = subject.reopen().await;
    assert_eq!(present(&reopened, &events).await, [false, false, false, false, true, true]);
}

/// Other people, the same id on another site, and the same text as another kind of id.
pub async fn erasing_a_person_leaves_everybody_else(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let (site, other) = (site(), site());
    let mut bob = by_ann(&site, 1, 1);
    bob.event.user_id = Some("bob".to_owned());
    let mut named_so = by_ann(&site, 2, 2);
    (named_so.event.user_id, named_so.event.anonymous_id) = (None, Some("ann".to_owned()));
    let others = [bob, named_so, by_ann(&other, 3, 3), event(&site, 4)];
    let many: Vec<Logged> = (0..700).map(|n| by_ann(&site, 10 + n, 10 + n)).collect();
    // Together, so that they lie together.
    store.put_events(&[&others[..], &many[..]].concat()).await.unwrap();
    assert_eq!(store.erase(&site, &ann(), at(10_000)).await.unwrap(), 700);
    assert_eq!(present(&store, &others).await, [true; 4]);
    assert!(store.timeline(&site, &ann(), None, 10).await.unwrap().is_empty());
    assert_eq!(store.timeline(&other, &ann(), None, 10).await.unwrap(), others[2..3]);
}

/// A copy that gave way to an earlier one is erased with it, and one of them that was received later is not.
pub async fn copies_are_erased_each_by_its_own_time(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let site = site();
    let first = by_ann(&site, 100, 100);
    let second = copy(&first, at(200).0, 2, 7);
    store.put_events(std::slice::from_ref(&second)).await.unwrap();
    store.put_events(std::slice::from_ref(&first)).await.unwrap();
    assert_eq!(store.erase(&site, &ann(), at(150)).await.unwrap(), 1);
    assert_eq!(kept(&store, &first).await, None, "both happened by then");
    assert!(store.copies(&site, first.event.event_id).await.unwrap().is_empty());
}

/// By id and moment, whether the store had it or was only told; a copy that is kept, or a rejection, goes before it.
pub async fn an_erased_event_is_known_as_erased_until_rejections_are_forgotten(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let (site, other) = (site(), site());
    let gone = by_ann(&site, 1, 2);
    store.put_events(std::slice::from_ref(&gone)).await.unwrap();
    store.erase(&site, &ann(), at(10)).await.unwrap();
    let id = gone.event.event_id;
    let note = |site: &str, erased_at| ErasedEvent { site_id: site.to_owned(), event_id: id, erased_at };
    let found = async |site: Option<&str>| store.find(site, id).await.unwrap();
    assert_eq!(found(Some(&site)).await, Some(Found::Erased(note(&site, at(10)))));
    assert_eq!(found(Some(&other)).await, None);
    store.note_erased(&[note(&site, at(5)), note(&other, at(20))]).await.unwrap();
    assert_eq!(found(Some(&site)).await, Some(Found::Erased(note(&site, at(10)))), "the later moment stays");
    assert_eq!(found(None).await, Some(Found::Erased(note(&other, at(20)))));

    let mut later = by_ann(&site, 30, 30);
    later.event.event_id = id;
    store.put_events(std::slice::from_ref(&later)).await.unwrap();
    assert_eq!(found(Some(&site)).await, Some(Found::Event(Box::new(later))));

    // On a store of its own accord the note ends with its time; here it is told to.
    if subject.keeping(Retention::default()).await.is_none() {
        store.expire(Micros(i64::MIN), at(15)).await.unwrap();
        assert_eq!(found(Some(&other)).await, Some(Found::Erased(note(&other, at(20)))));
        store.expire(Micros(i64::MIN), at(21)).await.unwrap();
        assert_eq!(found(Some(&other)).await, None);
    }
}

/// By what they hold, of the site and of no known one.
pub async fn rejections_are_erased_by_what_they_hold(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let (site, other) = (site(), site());
    let mut all: Vec<_> = (0..6).map(|n| rejection(if n == 4 { &other } else { &site }, n)).collect();
    all[5].rejection.site_id = None;
    for logged in &mut all[1..] {
        logged.rejection.original = format!("of-ann {}", logged.log_offset);
    }
    store.put_rejections(&all).await.unwrap();
    let mine: Vec<u64> = all.iter().map(|logged| logged.log_offset).collect();
    let which = move |rejection: &clickstream_event::Rejection| {
        let of = rejection.original.strip_prefix("of-ann ").and_then(|offset| offset.parse().ok());
        of.is_some_and(|offset: u64| mine.contains(&offset))
    };
    assert_eq!(store.erase_rejections(&site, Arc::new(which)).await.unwrap(), 4);
    assert_eq!(store.rejections(Some(&site), 10).await.unwrap(), all[..1]);
    assert_eq!(store.rejections(Some(&other), 10).await.unwrap(), all[4..5]);
    for gone in [&all[1], &all[5]] {
        assert_eq!(store.find(None, gone.rejection.event_id.unwrap()).await.unwrap(), None);
    }
    assert!(store.find(None, all[4].rejection.event_id.unwrap()).await.unwrap().is_some());
}
