//! Rows of people who are erased do not reach the lake.

use clickstream_compact::{CompactError, CompactRequest};
use clickstream_erasure::{Person, Tombstone, Tombstones};
use clickstream_event::Event;
use clickstream_testkit::sample::{BEGIN, click};

use crate::service::Service;

/// Forgets the user and the visitor `gone` of these sites, up to an hour after the beginning.
pub async fn forget_gone(service: &Service, sites: &[&str]) {
    let tombstones = Tombstones::new(service.bucket.objects.clone(), None);
    let key = tombstones.key().await.unwrap();
    let mut buried = Vec::new();
    for site in sites {
        for person in [Person::User("gone".to_owned()), Person::Anonymous("gone".to_owned())] {
            let (hash, erased_at) = (key.hash(site, &person), BEGIN.plus(3_600_000_000));
            buried.push(Tombstone { site_id: (*site).to_owned(), kind: person.kind(), hash, erased_at });
        }
    }
    tombstones.bury(&buried).await.unwrap();
}

fn of(user: &str, event: Event) -> Event {
    Event { user_id: Some(user.to_owned()), ..event }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_erased_people_are_left_out_and_counted() {
    let service = Service::start().await;
    forget_gone(&service, &["shop", "blog"]).await;
    let visitor = Event { user_id: None, anonymous_id: Some("gone".to_owned()), ..click(3, 0) };
    let elsewhere = Event { site_id: "docs".to_owned(), ..of("gone", click(4, 0)) };
    // Of a person who came back after the erasure, and a copy of an erased event in another's name.
    let later = of("gone", click(5, 3_601));
    service.land(0, 0, &[of("gone", click(1, 0)), of("u", click(2, 0)), visitor, elsewhere, later, of("u", click(1, 0))]).await;
    let compact = service.compaction().await;
    let report = compact.run(CompactRequest::default()).await.unwrap();
    assert_eq!((report.rows, report.erased, report.duplicates), (4, 2, 0));
    assert_eq!(service.ids().await, [1, 2, 4, 5]);
    assert_eq!(service.rows().await[0], (1, 0, 5));
    // Nobody but them: the watermark moves on all the same.
    service.land(0, 6, &[of("gone", click(6, 0))]).await;
    let report = compact.run(CompactRequest::default()).await.unwrap();
    assert_eq!((report.rows, report.erased, report.commits), (0, 1, 1));
    assert_eq!(service.snapshot().await.watermarks, [("l/0".to_owned(), 7)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_after_a_commit_is_missed_by_the_next_one_no_more() {
    let service = Service::start().await;
    let compact = service.compaction().await;
    service.land(0, 0, &[of("gone", click(1, 0))]).await;
    assert_eq!(compact.run(CompactRequest::default()).await.unwrap().erased, 0);
    forget_gone(&service, &["shop"]).await;
    service.land(0, 1, &[of("gone", click(2, 0))]).await;
    assert_eq!(compact.run(CompactRequest::default()).await.unwrap().erased, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_erasures_cannot_be_read_nothing_is_committed() {
    let service = Service::start().await;
    forget_gone(&service, &["shop"]).await;
    service.bucket.put("erasures/key.json", "no JSON").await;
    service.land(0, 0, &[click(1, 0)]).await;
    let error = service.compaction().await.run(CompactRequest::default()).await.unwrap_err();
    assert!(matches!(error, CompactError::Erasures(_)), "{error}");
    assert!(error.to_string().starts_with("erasures cannot be read: erasures/key.json is damaged"), "{error}");
    assert_eq!(service.snapshot().await.version, 0);
}
