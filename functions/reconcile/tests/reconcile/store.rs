//! An event store that lacks what it was given.

use crate::scene::{Scene, clicks};
use clickstream_testkit::sample::click;

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_event_store_is_brought_up_to_date_from_the_log() {
    let mut scene = Scene::start().await;
    scene.take(&clicks(0..100)).await;
    assert_eq!(scene.repaired().await, []);
    // The store that was put back has what came first.
    scene.lose_store();
    for event in clicks(0..10) {
        scene.put(&event).await;
    }
    let repaired = scene.repaired().await;
    assert!(repaired.iter().all(|(kind, _)| kind == "store_replayed") && !repaired.is_empty(), "{repaired:?}");
    assert_eq!(scene.stored(0..100).await, 100);
    assert_eq!(scene.repaired().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_outage_is_found_at_some_run() {
    let mut scene = Scene::start().await;
    scene.settings.samples = 2;
    scene.take(&clicks(0..200)).await;
    scene.lose_store();
    for event in clicks(0..200).iter().filter(|event| !(50..80).contains(&event.event_id.as_u128())) {
        scene.put(event).await;
    }
    assert_eq!(scene.stored(0..200).await, 170);
    let mut runs = 0;
    while scene.stored(50..80).await < 30 {
        scene.run().await;
        runs += 1;
        assert!(runs < 300, "it is not found");
    }
    assert_eq!(scene.stored(0..200).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_the_store_and_not_logged_is_not_looked_for() {
    let scene = Scene::start().await;
    assert_eq!(scene.repaired().await, []);
    scene.put(&click(7, 0)).await;
    scene.log(&clicks(0..3)).await;
    // Nothing was given to the store yet.
    assert_eq!(scene.repaired().await, []);
}
