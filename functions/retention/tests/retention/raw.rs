//! Raw objects on the embedded S3 server, and what holds in every bucket.

use clickstream_erasure::LANDED_AT;
use clickstream_event::Micros;
use clickstream_objects::PutOptions;
use clickstream_retention::RetentionRequest;
use clickstream_testkit::sample::click;

use crate::service::{Service, of};

/// Three settled objects of two partitions, and one that is landed alone; keys in the order of the bucket.
pub async fn landed(service: &Service) -> [String; 4] {
    let first = service.land(0, 0, &[click(1, 0), click(2, 0)]).await;
    let second = service.land(0, 2, &[click(3, 0)]).await;
    let other = service.land(1, 0, &[click(4, 0)]).await;
    service.compact_and_settle().await;
    let unsettled = service.land(0, 3, &[click(5, 0), click(6, 0)]).await;
    [first, second, unsettled, other]
}

#[tokio::test(flavor = "multi_thread")]
async fn old_and_settled_objects_go_and_others_stay() {
    let service = Service::start().await;
    let [first, second, unsettled, other] = landed(&service).await;
    let service = service.later(29);
    assert_eq!(service.removed("raw objects").await, 0);
    assert_eq!(service.keys("raw/").await, [first, second, unsettled.clone(), other]);
    let service = service.later(31);
    assert_eq!(service.removed("raw objects").await, 3);
    assert_eq!(service.keys("raw/").await, [unsettled]);
    // It is compacted from where it stands, and goes once it is settled.
    service.compact_and_settle().await;
    assert_eq!((service.ids().await, service.removed("raw objects").await), (vec![1, 2, 3, 4, 5, 6], 1));
    assert_eq!(service.count("settled").await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_that_is_in_the_lake_and_not_settled() {
    let service = Service::start().await.later(1_000);
    let key = service.land(0, 0, &[click(1, 0)]).await;
    service.compact().await;
    let report = service.run().await;
    let raw = of(&report, "raw objects");
    assert_eq!((raw.removed, raw.note.as_deref()), (Some(0), Some("nothing is settled yet")));
    assert_eq!(service.keys("raw/").await, [key]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_as_old_as_what_it_was_landed_with() {
    let mut service = Service::start().await;
    service.land(0, 0, &[click(1, 0)]).await;
    service.land(0, 1, &[click(2, 0)]).await;
    let between = service.a_while().await;
    let young = service.land(0, 3, &[click(4, 0)]).await;
    // A repair landed the first once more, and an erasure wrote another anew that says when it was landed.
    service.land(0, 0, &[click(1, 0)]).await;
    let landed_at =
        PutOptions { metadata: [(LANDED_AT.to_owned(), (between.0 - Micros::HOUR).to_string())].into(), ..PutOptions::default() };
    service.land_with(0, 2, &[click(3, 0)], landed_at).await;
    service.compact_and_settle().await;
    let ahead = between.plus(30 * Micros::DAY);
    service.settings.raw_days = 30;
    let retention = clickstream_retention::Retention::new(service.stores(), service.settings).with_clock(move || ahead);
    let report = retention.run(RetentionRequest::default()).await.whole().unwrap();
    assert_eq!(of(&report, "raw objects").removed, Some(3));
    assert_eq!(service.keys("raw/").await, [young]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_keeps_no_tags_is_told_of_and_no_other_rule_is_kept_from_its_work() {
    let service = Service::start().await.tagging().later(100);
    landed(&service).await;
    service.put("quarantine/shop/a.csv", "x").await;
    let report = service.retention().await.run(RetentionRequest::default()).await;
    assert!(report.failed.len() == 1 && report.failed[0].contains("raw objects: "), "{report:?}");
    assert!(report.failed[0].contains("the bucket's server keeps no tags of objects"), "{report:?}");
    assert_eq!((service.keys("raw/").await.len(), service.keys("quarantine/").await.len()), (4, 0));
    let error = report.whole().unwrap_err().to_string();
    assert!(error.starts_with("not every rule could be applied: raw objects: "), "{error}");
}
