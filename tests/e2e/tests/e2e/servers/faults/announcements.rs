//! What the bucket announces comes late, twice, in any order, or never.

use std::time::Duration;

use clickstream_e2e::{Service, eventually};
use clickstream_objects::{
    Objects as _, PutOptions,
    s3::{S3Config, S3Objects},
};
use clickstream_testkit::triggers::object_created;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    clicks::days,
    servers::scene::{CAUGHT_UP, Scene, TOKEN},
};

/// What is easily read wrong in a key.
const NAMES: [&str; 5] = ["with space.ndjson", "a+b.ndjson", "100%.ndjson", "a%20b%2Fc.ndjson", "räume/日本 ü.ndjson"];

#[tokio::test(flavor = "multi_thread")]
async fn announcements_may_be_late_doubled_in_any_order_or_lost_and_each_object_counts_once() {
    let mut scene = Scene::new().await;
    let bucket = bucket(&scene).await;

    // Lost: nobody is where they go.
    bucket.announce_to("arn:minio:sqs::H2:webhook").await.expect("announced elsewhere");
    scene.send(20).await;
    scene.acknowledged.insert(put(&bucket, "lost+file.ndjson").await);
    scene.caught_up().await;
    assert_eq!(visible(&scene).await, 0, "something was announced");
    bucket.announce_to("arn:minio:sqs::H1:webhook").await.expect("announced here");

    // Late: nobody was here.
    assert_eq!(scene.service.terminate().await.code(), Some(0));
    scene.service = Service::start(&scene.data, &scene.options).await;
    eventually(CAUGHT_UP, "the lost file is taken", || receipts(&bucket, 1)).await;
    let load = scene.load();
    assert_eq!(scene.service.terminate().await.code(), Some(0));
    for name in NAMES {
        scene.acknowledged.insert(put(&bucket, name).await);
    }
    scene.service = Service::start(&scene.data, &scene.options).await;
    eventually(CAUGHT_UP, "every file is taken", || receipts(&bucket, NAMES.len() + 1)).await;

    again_in_any_order(&scene, &bucket).await;
    scene.acknowledged.extend(load.stop().await.ids);
    scene.caught_up().await;
    assert_eq!(scene.metric("clickstream_files_total{outcome=\"taken\"}").await as usize, NAMES.len());
    receipts(&bucket, NAMES.len() + 1).await.expect("a receipt a file");
    scene.service.settle_everything().await;
    scene.counts_are_right().await;
}

async fn bucket(scene: &Scene) -> S3Objects {
    let (minio, given) = (&scene.minio, |name| Some(scene.minio.fact(name)));
    let (endpoint, access_key, secret_key) = (given("url"), given("access_key"), given("secret_key"));
    S3Objects::connect(&S3Config { bucket: minio.fact("bucket"), endpoint, region: "us-east-1".to_owned(), access_key, secret_key }).await
}

/// Puts a file with one event into the bucket itself, and answers the event's id.
async fn put(bucket: &S3Objects, name: &str) -> Uuid {
    let (id, day) = (Uuid::new_v4(), days().1);
    let event = serde_json::json!({ "event_id": id, "action": "click", "element_id": "e", "anonymous_id": "a", "original_at": format!("{day}T00:00:00Z") });
    bucket.put(&format!("inbox/demo/{name}"), event.to_string().into(), PutOptions::default()).await.expect("the file stands");
    id
}

/// `Ok` if so many files have a receipt; each says that its one event was accepted.
async fn receipts(bucket: &S3Objects, files: usize) -> Result<(), String> {
    let found = bucket.list("receipts/demo/", None, 100).await.map_err(|e| e.to_string())?;
    for receipt in &found {
        let (_, text) = bucket.get(&receipt.key).await.map_err(|e| e.to_string())?;
        let receipt: Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!((&receipt["lines"], &receipt["rejected"]), (&Value::from(1), &Value::from(0)), "{receipt}");
    }
    if found.len() == files { Ok(()) } else { Err(format!("{} receipts for {files} files", found.len())) }
}

/// Events that the export shows.
async fn visible(scene: &Scene) -> usize {
    let (from, to) = days();
    scene.service.exported(&from, &to).await.len()
}

/// Announces every object again: three times, and then in reverse.
async fn again_in_any_order(scene: &Scene, bucket: &S3Objects) {
    let mut keys = Vec::new();
    for prefix in ["raw/", "inbox/"] {
        keys.extend(bucket.list(prefix, None, 10_000).await.expect("a list").into_iter().map(|object| object.key));
    }
    let reversed = keys.iter().rev();
    for key in keys.iter().chain(&keys).chain(&keys).chain(reversed) {
        let announced = scene.service.post("/v1/notifications").bearer_auth(TOKEN).json(&object_created(&scene.minio.fact("bucket"), key));
        let answer = announced.timeout(Duration::from_secs(30)).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 204, "{key}");
    }
}
