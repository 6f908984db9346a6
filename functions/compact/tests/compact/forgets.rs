//! Rows of people who are erased do not reach the lake.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use clickstream_compact::{CompactError, CompactRequest, Forgets, ForgetsError, Forgotten, Who};
use clickstream_event::Event;
use clickstream_testkit::sample::{BEGIN, click};

use crate::service::Service;

/// The user or visitor `gone` is erased on every site, up to an hour after the beginning; it counts how often it is asked.
#[derive(Default)]
pub struct Gone {
    asked: AtomicUsize,
}

struct Erasures;

#[async_trait]
impl Forgets for Gone {
    async fn current(&self) -> Result<Arc<dyn Forgotten>, ForgetsError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(Erasures))
    }
}

impl Forgotten for Erasures {
    fn concerns(&self, site_id: &str) -> bool {
        site_id != "docs"
    }

    fn drops(&self, who: &Who<'_>) -> bool {
        assert_ne!(who.site_id, "docs");
        [who.user_id, who.anonymous_id].contains(&Some("gone")) && who.received_at <= BEGIN.plus(3_600_000_000)
    }
}

/// Erasures that cannot be read.
struct Unreadable;

#[async_trait]
impl Forgets for Unreadable {
    async fn current(&self) -> Result<Arc<dyn Forgotten>, ForgetsError> {
        Err("the list is away".into())
    }
}

fn of(user: &str, event: Event) -> Event {
    Event { user_id: Some(user.to_owned()), ..event }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_erased_people_are_left_out_and_counted() {
    let service = Service::start().await;
    let gone = Arc::new(Gone::default());
    let visitor = Event { user_id: None, anonymous_id: Some("gone".to_owned()), ..click(3, 0) };
    let elsewhere = Event { site_id: "docs".to_owned(), ..of("gone", click(4, 0)) };
    // Of a person who came back after the erasure, and a copy of an erased event in another's name.
    let later = of("gone", click(5, 3_601));
    service.land(0, 0, &[of("gone", click(1, 0)), of("u", click(2, 0)), visitor, elsewhere, later, of("u", click(1, 0))]).await;
    let compact = service.compaction().await.with_forgets(gone.clone());
    let report = compact.run(CompactRequest::default()).await.unwrap();
    assert_eq!((report.rows, report.erased, report.duplicates), (4, 2, 0));
    assert_eq!(service.ids().await, [1, 2, 4, 5]);
    assert_eq!(service.rows().await[0], (1, 0, 5));
    assert_eq!(gone.asked.load(Ordering::Relaxed), 1);
    // Nobody but them: the watermark moves on all the same.
    service.land(0, 6, &[of("gone", click(6, 0))]).await;
    let report = compact.run(CompactRequest::default()).await.unwrap();
    assert_eq!((report.rows, report.erased, report.commits), (0, 1, 1));
    assert_eq!(gone.asked.load(Ordering::Relaxed), 2);
    assert_eq!(service.snapshot().await.watermarks, [("l/0".to_owned(), 7)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_erasures_cannot_be_read_nothing_is_committed() {
    let service = Service::start().await;
    service.land(0, 0, &[click(1, 0)]).await;
    let error = service.compaction().await.with_forgets(Arc::new(Unreadable)).run(CompactRequest::default()).await.unwrap_err();
    assert!(matches!(error, CompactError::Erasures(_)), "{error}");
    assert_eq!(error.to_string(), "erasures cannot be read: the list is away");
    assert_eq!(service.snapshot().await.version, 0);
}
