//! Raw objects that nobody announced.

use crate::scene::{Scene, clicks};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn an_object_whose_notification_was_lost_is_loaded() {
    let mut scene = Scene::start().await;
    scene.take(&clicks(0..20)).await;
    scene.log(&clicks(20..50)).await;
    scene.store().await;
    let landed = scene.land().await;
    for object in &landed[1..] {
        scene.load(&object.key).await;
    }
    let lost = landed[0].rows as u64;
    assert_eq!(scene.count("clicks").await, 50 - lost);
    scene.settings.grace = Duration::from_hours(1);
    assert_eq!(scene.repaired().await, [], "it may still be announced");
    scene.settings.grace = Duration::ZERO;
    assert_eq!(scene.repaired().await, [("lost_notification".to_owned(), lost)]);
    assert_eq!(scene.count("clicks").await, 50);
    assert_eq!(scene.repaired().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_repeats_is_loaded_though_its_offsets_are_not_there() {
    let scene = Scene::start().await;
    scene.take(&clicks(0..20)).await;
    // Repeats of settled events, and of each other.
    scene.log(&[clicks(10..25), clicks(20..25)].concat()).await;
    scene.store().await;
    for object in scene.land().await {
        scene.load(&object.key).await;
    }
    scene.sql("OPTIMIZE TABLE fresh FINAL").await;
    assert_eq!(scene.repaired().await, []);
    assert_eq!(scene.count("clicks").await, 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_fresh_comes_back() {
    let scene = Scene::start().await;
    scene.take(&clicks(0..10)).await;
    scene.log(&clicks(10..40)).await;
    scene.store().await;
    let landed = scene.land().await;
    for object in &landed {
        scene.load(&object.key).await;
    }
    scene.sql("TRUNCATE TABLE fresh").await;
    assert_eq!(scene.count("clicks").await, 10);
    assert_eq!(scene.repaired().await.iter().map(|(_, count)| count).sum::<u64>(), 30);
    assert_eq!(scene.count("clicks").await, 40);
}
