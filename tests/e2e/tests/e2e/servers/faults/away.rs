//! Cassandra, ClickHouse and `MinIO` are away, or do not answer.

use std::time::Duration;

use clickstream_e2e::{Service, eventually};
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    clicks::days,
    servers::{
        load::Load,
        scene::{CAUGHT_UP, Props, Scene},
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn cassandra_clickhouse_and_minio_may_die_or_hang_and_nothing_is_lost() {
    let mut scene = Scene::with(Props { clickhouse: true, ..Props::default() }).await;
    let mut load = scene.load();
    load.goes_on(20).await;

    scene.cassandra.kill();
    scene.fails("store").await;
    load.goes_on(20).await;
    scene.cassandra.start_again();
    cassandra_hangs_and_is_slow(&scene, &mut load).await;

    let mut clickhouse = scene.clickhouse.take().expect("ClickHouse");
    clickhouse.kill().await;
    reports_are_unavailable(&scene).await;
    load.goes_on(20).await;
    clickhouse.start_again().await;

    // The service dies while the bucket is away.
    scene.minio.kill();
    scene.fails("land").await;
    load.goes_on(20).await;
    scene.service.kill().await;
    scene.minio.start_again();
    scene.service = Service::start(&scene.data, &scene.options).await;
    load.goes_on(20).await;

    let sent = load.stop().await;
    assert_eq!(sent.spilled, 0, "taking events needs the log alone");
    println!("{} events", sent.ids.len());
    scene.acknowledged.extend(sent.ids);
    scene.caught_up().await;
    scene.counts_are_right().await;
}

async fn cassandra_hangs_and_is_slow(scene: &Scene, load: &mut Load) {
    scene.cassandra.freeze();
    scene.fails("store").await;
    load.goes_on(20).await;
    scene.cassandra.thaw();
    for _ in 0..10 {
        scene.cassandra.freeze();
        sleep(Duration::from_millis(400)).await;
        scene.cassandra.thaw();
        sleep(Duration::from_millis(100)).await;
    }
    load.goes_on(1).await;
}

/// Whoever asks for a report is told why there is none, and when to ask again.
async fn reports_are_unavailable(scene: &Scene) {
    let (from, to) = days();
    let path = format!("/v1/reports/elements?site=demo&from={from}&to={to}");
    eventually(CAUGHT_UP, "there are no reports", || async {
        let answer = scene.service.get(&path).send().await.map_err(|e| e.to_string())?;
        let (status, wait) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
        let problem: Value = answer.json().await.map_err(|e| e.to_string())?;
        let told = problem["detail"].as_str().is_some_and(|detail| detail.contains("ClickHouse"));
        if status == 503 && wait && told && problem["code"] == "part_unavailable" { Ok(()) } else { Err(format!("{status} {problem}")) }
    })
    .await;
}
