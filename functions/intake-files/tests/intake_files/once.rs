//! A file is taken once, however often it is announced and whatever fails meanwhile.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use crate::service::{Service, lines};
use clickstream_intake_files::{FileOutcome, IntakeFilesError};
use clickstream_log::LogError;
use clickstream_objects::ObjectError;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_announced_twice_is_taken_once() {
    let service = Service::start().await;
    service.receipt("a.ndjson", lines(0..10)).await;
    // Also put again, with the same content.
    assert_eq!(service.take("a.ndjson", lines(0..10)).await, FileOutcome::TakenBefore);
    assert_eq!(service.events().len(), 10);
    assert_eq!(service.bucket.keys("receipts/").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_announced_twice_at_once_has_one_receipt_and_the_same_ids() {
    let service = Service::start().await;
    let announced = service.bucket.put("inbox/shop/a.ndjson", lines(0..2_000)).await;
    let (one, two) = tokio::join!(service.intake.handle(&announced), service.intake.handle(&announced));
    let outcomes = [one.unwrap(), two.unwrap()];
    assert_eq!(outcomes.iter().filter(|o| matches!(o, FileOutcome::Taken(_))).count(), 1);
    assert_eq!(outcomes.iter().filter(|o| **o == FileOutcome::TakenBefore).count(), 1);
    assert_eq!(service.events().iter().map(|e| e.event_id).collect::<BTreeSet<_>>().len(), 2_000);
    assert_eq!(service.bucket.keys("receipts/").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_content_under_the_same_name_is_a_new_file() {
    let service = Service::start().await;
    let first = service.receipt("a.ndjson", lines(0..3)).await;
    let second = service.receipt("a.ndjson", lines(3..5)).await;
    assert_ne!(first.etag, second.etag);
    assert_eq!((service.events().len(), service.bucket.keys("receipts/").await.len()), (5, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_again_while_the_log_takes_nothing() {
    let service = Service::start().await;
    let announced = service.bucket.put("inbox/shop/a.ndjson", lines(0..5_000)).await;
    service.log.full.store(true, Ordering::SeqCst);
    let error = service.intake.handle(&announced).await.unwrap_err();
    assert!(matches!(error, IntakeFilesError::Log(LogError::Full)), "{error}");
    assert!(service.bucket.keys("receipts/").await.is_empty());
    service.log.full.store(false, Ordering::SeqCst);
    let FileOutcome::Taken(receipt) = service.intake.handle(&announced).await.unwrap() else { panic!("not taken") };
    assert_eq!((receipt.accepted, service.events().len()), (5_000, 5_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_breaks_off_says_nothing_of_the_file() {
    let service = Service::start().await;
    let rows: String = (0..5_000).map(|id| format!("{id},click,buy,u,desktop,2026-11-24 10:00:00\n")).collect();
    let table = "event_id,action,element_id,user_id,device_type,occurred_at\n".to_owned() + &rows;
    for (name, text) in [("a.ndjson", lines(0..5_000)), ("b.csv", table), ("c.json", lines(0..5_000)), ("d.parquet", lines(0..5_000))] {
        let announced = service.bucket.put(&format!("inbox/shop/{name}"), text).await;
        service.flaky.breaks_off.store(true, Ordering::SeqCst);
        let error = service.intake.handle(&announced).await.unwrap_err();
        assert!(matches!(error, IntakeFilesError::Objects(ObjectError::Unavailable(_))), "{name}: {error}");
        assert!(service.bucket.keys(&format!("receipts/shop/{name}")).await.is_empty(), "{name}");
        service.flaky.breaks_off.store(false, Ordering::SeqCst);
        assert!(matches!(service.intake.handle(&announced).await.unwrap(), FileOutcome::Taken(_)), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_its_receipt_comes_again() {
    let service = Service::start().await;
    let announced = service.bucket.put("inbox/shop/a.ndjson", lines(0..10)).await;
    service.flaky.takes_nothing.store(true, Ordering::SeqCst);
    let error = service.intake.handle(&announced).await.unwrap_err();
    assert!(matches!(error, IntakeFilesError::Objects(_)), "{error}");
    service.flaky.takes_nothing.store(false, Ordering::SeqCst);
    assert!(matches!(service.intake.handle(&announced).await.unwrap(), FileOutcome::Taken(_)));
    let ids: BTreeSet<_> = service.events().iter().map(|e| e.event_id).collect();
    assert_eq!((service.events().len(), ids.len()), (20, 10), "logged again under the same ids");
}
