//! The embedded S3 server under the suite, and over restarts and crashes.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use clickstream_objects::{Objects as _, PutOptions, conformance, embedded::EmbeddedS3, measured, s3::S3Objects};

async fn start(dir: &std::path::Path) -> (EmbeddedS3, S3Objects) {
    let s3 = EmbeddedS3::start(dir, "clickstream").await.unwrap();
    let objects = S3Objects::connect(s3.config()).await;
    (s3, objects)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_server_is_a_bucket_like_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let (s3, objects) = start(dir.path()).await;
    // Measured as a host has it.
    let objects = measured(Arc::new(objects));
    conformance::all(&*objects).await;
    conformance::a_key_may_be_the_folder_of_another(&*objects).await;
    conformance::tags_are_refused(&*objects).await;
    conformance::without_versions_an_object_goes_at_once(&*objects).await;
    conformance::writes_are_announced(&*objects, s3.notifications().as_ref()).await;
    s3.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_and_notifications_outlive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (s3, objects) = start(dir.path()).await;
    let options = PutOptions { metadata: [("a".to_owned(), "b".to_owned())].into(), ..PutOptions::default() };
    let etag = objects.put("raw/x", Bytes::from_static(b"x"), options).await.unwrap();
    assert_eq!(s3.notifications().receive("raw/", 5).await.unwrap().len(), 1);
    s3.shutdown().await;
    drop((s3, objects));
    let (s3, objects) = start(dir.path()).await;
    let (info, body) = objects.get("raw/x").await.unwrap();
    assert_eq!((body.as_ref(), info.etag, info.metadata["a"].as_str()), (&b"x"[..], etag, "b"));
    assert_eq!(s3.notifications().receive("raw/", 5).await.unwrap()[0].notification.key, "raw/x", "it was not acknowledged");
    assert!(EmbeddedS3::start(dir.path(), "clickstream").await.is_err(), "a second server on the folder");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (s3, _) = start(dir.path()).await;
    let mut config = s3.config().clone();
    config.secret_key = Some("guess".to_owned());
    let stranger = S3Objects::connect(&config).await;
    let refused = stranger.get("raw/x").await.unwrap_err();
    assert!(refused.to_string().contains("403"), "{refused}");
}

/// The child of the next test: writes objects and says which were acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn child_that_writes() {
    let Ok(dir) = std::env::var("WRITE_INTO") else { return };
    let round = std::env::var("ROUND").unwrap();
    let (_s3, objects) = start(dir.as_ref()).await;
    let objects = Arc::new(objects);
    let writers = (0..4).map(|writer| {
        let (objects, round) = (Arc::clone(&objects), round.clone());
        tokio::spawn(async move {
            for n in 0.. {
                let key = format!("raw/{round}/{writer}/{n}");
                objects.put(&key, Bytes::from(key.repeat(500)), PutOptions::default()).await.unwrap();
                println!("\nacked {key}");
            }
        })
    });
    futures::future::join_all(writers.collect::<Vec<_>>()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_moment_tears_no_object_and_loses_no_notification() {
    let dir = tempfile::tempdir().unwrap();
    let mut acked = BTreeSet::new();
    for round in 0..4_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["embedded::child_that_writes", "--exact", "--nocapture"])
            .env("WRITE_INTO", dir.path())
            .env("ROUND", round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let wanted = 30 + 17 * round as usize;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut seen = 0;
        for line in lines.by_ref() {
            if let Some(key) = line.strip_prefix("acked ") {
                acked.insert(key.to_owned());
                seen += 1;
                if seen == wanted {
                    break;
                }
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        acked.extend(lines.filter_map(|l| l.strip_prefix("acked ").map(str::to_owned)));
    }
    let (s3, objects) = start(dir.path()).await;
    for object in objects.list("raw/", None, 100_000).await.unwrap() {
        assert_eq!(objects.get(&object.key).await.unwrap().1, object.key.repeat(500), "{} is torn", object.key);
    }
    let mut announced = BTreeSet::new();
    while let Ok(Ok(deliveries)) = tokio::time::timeout(Duration::from_secs(1), s3.notifications().receive("raw/", 1_000)).await {
        announced.extend(deliveries.into_iter().map(|d| d.notification.key));
    }
    let lost: Vec<_> = acked.difference(&announced).collect();
    assert!(lost.is_empty(), "acknowledged and not announced: {lost:?}");
    for key in &acked {
        objects.head(key).await.unwrap();
    }
}
