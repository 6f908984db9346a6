//! Rejections.

use std::sync::Arc;

use super::{
    Subject, event, rejection,
    sample::{kept, site},
};
use crate::Found;

/// Found where no event is; an event with the same id goes first.
pub async fn a_rejection_is_found_by_its_id_and_a_kept_event_goes_before_it(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let site = site();
    let mut rejected = rejection(&site, 5);
    let nameless = {
        let mut r = rejection(&site, 6);
        (r.rejection.event_id, r.rejection.site_id) = (None, None);
        r
    };
    let id = rejected.rejection.event_id.unwrap();
    store.put_rejections(&[rejected.clone(), nameless]).await.unwrap();
    let found = Some(Found::Rejected(Box::new(rejected.clone())));
    assert_eq!(store.find(Some(&site), id).await.unwrap(), found);
    assert_eq!(store.find(None, id).await.unwrap(), found);
    assert_eq!(store.find(Some("elsewhere"), id).await.unwrap(), None);

    let event = event(&site, 7);
    rejected.rejection.event_id = Some(event.event.event_id);
    store.put_events(std::slice::from_ref(&event)).await.unwrap();
    store.put_rejections(&[rejected]).await.unwrap();
    assert_eq!(kept(&store, &event).await, Some(event));
}

/// Order, limit, site.
pub async fn rejections_are_listed_newest_first_and_by_site(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let (site, other) = (site(), site());
    let mut expected: Vec<_> = (0..30).map(|i| rejection(&site, i % 10)).collect();
    store.put_rejections(&expected).await.unwrap();
    // Far ahead, so that they are the newest of all sites.
    let newest = rejection(&other, 1_000_000_000);
    store.put_rejections(std::slice::from_ref(&newest)).await.unwrap();
    expected.sort_by_key(|r| std::cmp::Reverse((r.rejection.received_at, r.log_partition, r.log_offset)));
    assert_eq!(store.rejections(Some(&site), 100).await.unwrap(), expected);
    assert_eq!(store.rejections(Some(&site), 4).await.unwrap(), expected[..4]);
    assert_eq!(store.rejections(None, 1).await.unwrap(), [newest]);
    assert!(store.rejections(Some("nowhere"), 10).await.unwrap().is_empty());
}

/// Idempotent by place.
pub async fn putting_a_rejection_again_changes_nothing(subject: Arc<dyn Subject>) {
    let store = subject.store().await;
    let site = site();
    let rejections: Vec<_> = (0..20).map(|i| rejection(&site, i)).collect();
    for _ in 0..3 {
        store.put_rejections(&rejections).await.unwrap();
    }
    assert_eq!(store.rejections(Some(&site), 100).await.unwrap().len(), 20);
}
