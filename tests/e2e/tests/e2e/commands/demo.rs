//! `demo`.

use std::{collections::BTreeMap, time::Duration};

use clickstream_e2e::{Service, StartOptions, eventually};
use tokio::time::Instant;
use uuid::Uuid;

use super::days::ago;

async fn exported(service: &Service) -> BTreeMap<Uuid, u32> {
    service.exported(&ago(5), &ago(0)).await
}

/// Waits for `count` events of the three sites that `demo` plays.
async fn counted(service: &Service, logged: u64) {
    eventually(Duration::from_secs(30), "all is logged", || async {
        let status = service.json("/v1/status").await;
        if status["logged"] == logged { Ok(()) } else { Err(status["logged"].to_string()) }
    })
    .await;
    service.caught_up(&["store", "land", "load"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_makes_the_same_events_over_as_many_days_as_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::start(&folder.path().join("data"), &StartOptions::default()).await;
    let demo = async |seed: &str| {
        let arguments = ["demo", "--rate", "0", "--count", "600", "--days", "3", "--seed", seed];
        let said = service.command(arguments).await.expect_success();
        assert!(said.starts_with("600 events of demo, demo-news, demo-docs sent"), "{said}");
    };
    demo("7").await;
    counted(&service, 600).await;
    let first = exported(&service).await;
    assert!((100..400).contains(&first.len()), "{} of 600 events are of demo", first.len());
    assert!(service.exported(&ago(0), &ago(0)).await.len() < first.len(), "they spread over days");

    demo("7").await;
    counted(&service, 1_200).await;
    assert_eq!(exported(&service).await, first, "the same seed made the same events, which count once");

    demo("8").await;
    counted(&service, 1_800).await;
    let more = exported(&service).await;
    assert!(more.len() > first.len() + 100 && first.keys().all(|id| more.contains_key(id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rate_is_kept_and_options_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::start(&folder.path().join("data"), &StartOptions::default()).await;
    let began = Instant::now();
    service.command(["demo", "--rate", "50", "--count", "100"]).await.expect_success();
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(1_900) && took < Duration::from_secs(6), "100 events at 50/s took {took:?}");
    counted(&service, 100).await;

    let said = service.command(["demo", "--days", "3"]).await.expect_failure();
    assert!(said.contains("--count"), "{said}");
    let said = service.command(["demo", "--rate", "fast"]).await.expect_failure();
    assert!(said.contains("--rate"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_of_other_sites_says_that_the_keys_are_not_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = StartOptions { environment: vec![("SITES", "shop:k3y".to_owned())], ..StartOptions::default() };
    let service = Service::start(&folder.path().join("data"), &options).await;
    let said = service.command(["demo", "--count", "10", "--rate", "0"]).await.expect_failure();
    assert!(said.contains("write key") && !said.contains("ADMIN_TOKEN"), "{said}");
}
