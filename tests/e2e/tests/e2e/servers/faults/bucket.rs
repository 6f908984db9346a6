//! The bucket refuses, is slow, and has no room.

use std::time::Duration;

use clickstream_e2e::eventually;
use clickstream_testkit::servers::folder;
use serde_json::Value;

use crate::{
    disk::Disk,
    servers::{
        load::Load,
        proxy::{Mode, Proxy},
        scene::{CAUGHT_UP, Props, Scene},
    },
};

/// Size of the disk. `MinIO` itself takes some 10 MB.
const DISK: &str = "128m";

#[tokio::test(flavor = "multi_thread")]
async fn while_the_bucket_refuses_is_slow_or_full_events_are_taken_and_each_counts_once() {
    let (mut scene, disk) = on_a_small_disk().await;
    let proxy = scene.proxy.take().expect("a proxy");
    let mut load = scene.load();
    load.goes_on(20).await;
    asked(&proxy, Mode::RefuseAThird, 300).await;
    load.goes_on(20).await;
    asked(&proxy, Mode::Slow(Duration::from_millis(700)), 60).await;
    load.goes_on(20).await;
    proxy.set(Mode::Pass);
    match &disk {
        Some(disk) => no_room(&scene, &mut load, disk).await,
        None => println!("no full disk: mounting a tmpfs takes root"),
    }
    let sent = load.stop().await;
    assert_eq!(sent.spilled, 0, "taking events does not need the bucket");
    println!("{} events", sent.ids.len());
    scene.acknowledged.extend(sent.ids);
    scene.caught_up().await;
    scene.counts_are_right().await;
}

/// The disk goes before the server that writes to it: its folder can then be removed.
async fn on_a_small_disk() -> (Scene, Option<Disk>) {
    let minio = folder();
    let disk = Disk::mount(&minio.path().join("data"), DISK);
    // Compaction meets what the bucket does, too.
    let environment = vec![("COMPACT_INTERVAL", "5".to_owned())];
    (Scene::with(Props { minio: Some(minio), proxy: true, environment, ..Props::default() }).await, disk)
}

/// Has the proxy do as `mode` says for so many requests.
async fn asked(proxy: &Proxy, mode: Mode, requests: usize) {
    proxy.set(mode);
    eventually(CAUGHT_UP, "the bucket is asked", || async {
        let asked = proxy.asked();
        if asked >= requests { Ok(()) } else { Err(format!("{asked} of {requests} requests came")) }
    })
    .await;
}

/// Landing waits for room, and the status says so.
async fn no_room(scene: &Scene, load: &mut Load, disk: &Disk) {
    disk.fill();
    scene.fails("land").await;
    load.goes_on(40).await;
    let status = scene.service.json("/v1/status").await;
    let waits = |step: &Value| step["step"] == "land" && step["lag"].as_u64().is_some_and(|lag| lag > 0);
    assert!(status["steps"].as_array().is_some_and(|steps| steps.iter().any(waits)), "{status}");
    assert!(scene.service.said().contains("disk is full"), "the disk is not named");
    disk.free();
}
