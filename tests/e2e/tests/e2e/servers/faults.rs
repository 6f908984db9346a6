//! Servers that die while events come.

use std::time::Duration;

use tokio::time::sleep;

use super::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn while_kafka_is_away_events_go_to_the_bucket_and_each_counts_once_when_it_is_back() {
    let mut scene = Scene::new().await;
    assert_eq!(scene.send(20).await, 0);
    scene.kafka.kill();
    let spilled = scene.send(40).await;
    assert!(spilled >= 35, "only {spilled} of 40 requests went to the bucket");
    scene.kafka.start_again();
    scene.caught_up().await;
    assert_eq!(scene.send(20).await, 0, "the log takes events again");
    scene.caught_up().await;
    scene.counts_are_right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cassandra_and_minio_may_die_and_nothing_is_lost() {
    let mut scene = Scene::new().await;
    scene.send(20).await;
    scene.cassandra.kill();
    assert_eq!(scene.send(20).await, 0, "taking events does not need the event store");
    sleep(Duration::from_secs(3)).await;
    scene.cassandra.start_again();
    scene.send(20).await;
    scene.minio.kill();
    assert_eq!(scene.send(20).await, 0, "taking events does not need the bucket");
    sleep(Duration::from_secs(3)).await;
    // Killed with the bucket away, the service finds what it left.
    scene.minio.start_again();
    let mut scene = scene.restart().await;
    scene.send(20).await;
    scene.caught_up().await;
    scene.counts_are_right().await;
    for id in scene.acknowledged.iter().step_by(97) {
        let trace = scene.service.json(&format!("/v1/events/{id}/trace")).await;
        assert_eq!(trace["store"]["stored"], true, "{trace}");
    }
}
