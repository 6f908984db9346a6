//! Runs that are killed anywhere: nothing is half done, and the next run does the rest.

use std::{sync::Arc, time::Duration};

use clickstream_lake::LakeDays;
use clickstream_objects::Objects as _;
use clickstream_retention::RetentionRequest;
use clickstream_testkit::sample::click;

use crate::{
    lake::{MIDNIGHT, two_days},
    service::{Service, of},
};

/// Old things of every kind, and few that stay.
async fn full() -> Service {
    let mut service = two_days().await.later(500);
    for n in 0..60 {
        service.land(1, n, &[click(100 + u128::from(n), MIDNIGHT - 60)]).await;
        let etag = service.put(&format!("inbox/shop/{n}.csv"), "x").await;
        service.put(&format!("receipts/shop/{n}.csv-{etag}.json"), "{}").await;
        service.put(&format!("quarantine/shop/{n}.csv"), "x").await;
    }
    service.put("inbox/shop/untaken.csv", "x").await;
    service.compact_and_settle().await;
    service.land(1, 60, &[click(200, 0)]).await;
    service.settings.inbox_days = Some(7);
    service.settings.lake_days = LakeDays::parse("31").unwrap();
    service
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_is_followed_by_one_that_does_the_rest() {
    let service = full().await;
    let mut killed = 0;
    for after in [1, 4, 10, 20, 30, 45, 60, 80, 100, 130, 170, 220, 300, 400] {
        let retention = Arc::new(service.retention().await);
        let run = tokio::spawn(async move { retention.run(RetentionRequest::default()).await });
        tokio::time::sleep(Duration::from_millis(after)).await;
        run.abort();
        killed += u32::from(run.await.is_err());
        // No file of the inbox without its receipt but the one that was never taken; rows of the lake all or none.
        let (files, receipts) = (service.keys("inbox/").await, service.keys("receipts/").await);
        assert!(files.iter().all(|file| file.ends_with("untaken.csv") || receipts.iter().any(|r| r.contains(&file["inbox/".len()..]))));
        assert!(matches!(service.ids().await.len(), 0 | 66), "{:?}", service.ids().await);
        service.settle().await;
    }
    assert!(killed > 0, "every run had ended before it was killed");
    let report = service.run().await;
    assert!(report.failed.is_empty(), "{report:?}");
    service.settle().await;
    assert_eq!((service.keys("raw/").await.len(), service.keys("inbox/").await), (1, vec!["inbox/shop/untaken.csv".to_owned()]));
    assert_eq!((service.keys("quarantine/").await.len(), service.keys("receipts/").await.len()), (0, 0));
    assert_eq!((service.ids().await.len(), service.count("events").await), (0, 0));
    let again = service.run().await;
    assert!(again.rules.iter().all(|applied| applied.removed == Some(0)), "{again:?}");
    // What was landed and never settled is taken from where it stands.
    service.compact().await;
    assert_eq!(service.ids().await, [200]);
    assert!(service.objects.head("inbox/shop/untaken.csv").await.is_ok() && of(&again, "inbox").kept == "7 days");
}
