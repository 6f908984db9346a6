//! The log takes nothing: events go to the bucket, and return to the log.

use std::{collections::BTreeSet, path::Path, time::Duration};

use clickstream_e2e::{Service, StartOptions, eventually};
use clickstream_event::{Event, Micros};
use clickstream_log::{EVENTS, event_record};
use clickstream_objects::{Objects as _, PutOptions, embedded::EmbeddedS3, s3::S3Objects};
use clickstream_spill::{Parcel, encode};
use clickstream_testkit::sample::click;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    clicks::{batch, days},
    disk::Disk,
};

/// The log's own disk. An empty log takes less than 1 MB.
const DISK: &str = "16m";
/// Requests within which a full disk must be noticed.
const MOST_REQUESTS: usize = 5_000;

#[tokio::test(flavor = "multi_thread")]
async fn while_the_disk_of_the_log_is_full_events_are_taken_and_each_counts_once_when_it_has_space() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let Some(disk) = Disk::mount(&data.join("log"), DISK) else {
        println!("skipped: mounting a tmpfs takes root");
        return;
    };
    let options = StartOptions { environment: vec![("COMPACT_INTERVAL", "5".to_owned())], ..StartOptions::default() };
    let service = Service::start(&data, &options).await;
    let mut acknowledged = BTreeSet::new();
    let (ids, spilled) = send(&service).await;
    acknowledged.extend(ids);
    assert!(!spilled, "there is space");

    let mut spilled = 0;
    for _ in 0..MOST_REQUESTS {
        if spilled == 0 {
            disk.fill();
        }
        let (ids, in_bucket) = send(&service).await;
        acknowledged.extend(ids);
        spilled += usize::from(in_bucket);
        if spilled == 300 {
            break;
        }
    }
    assert_eq!(spilled, 300, "a full disk is not noticed");
    assert!(waiting(&service).await > 0);
    let metrics = service.get("/metrics").send().await.expect("an answer").text().await.expect("a text");
    let spilled: f64 = metric(&metrics, "clickstream_spilled_records_total");
    assert!(spilled >= 300.0 * 20.0, "{spilled}");
    let status = service.command(["status"]).await.expect_success();
    assert!(status.lines().any(|line| line.contains("unspill") && line.contains("spill/")), "{status}");

    // Killed while the events return, it goes on with them.
    disk.free();
    let left = eventually(Duration::from_mins(1), "events begin to return", || async {
        let left = waiting(&service).await;
        if left < 300 { Ok(left) } else { Err(format!("{left} objects wait")) }
    })
    .await;
    println!("killed while {left} of 300 objects wait");
    service.kill().await;
    let service = Service::start(&data, &options).await;
    let (ids, spilled) = send(&service).await;
    acknowledged.extend(ids);
    assert!(!spilled, "there is space again");
    service.caught_up(&["unspill", "store", "land", "load"]).await;
    once(&service, &acknowledged).await;
    service.settle_everything().await;
    once(&service, &acknowledged).await;
    assert_eq!(service.terminate().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spilled_before_a_start_counts_once_however_often_it_stands_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let service = Service::start(&data, &StartOptions::default()).await;
    let (sent, _) = send(&service).await;
    service.caught_up(&["store", "land", "load"]).await;
    assert!(service.terminate().await.success());

    // Fifty events, ten of which were sent before, in two objects; and a third that is no whole one.
    let mut ids: Vec<_> = (0..40).map(|_| Uuid::new_v4()).collect();
    ids.extend(&sent[..10]);
    let records = ids.iter().map(|id| event_record(&event(*id)).expect("a record")).collect();
    let object = encode(&[Parcel { topic: EVENTS, records }]).expect("an object");
    let half = object[..object.len() / 2].to_vec();
    put(&data, &[("spill/1.ndjson.zst", half), ("spill/2.ndjson.zst", object.clone()), ("spill/3.ndjson.zst", object)]).await;

    let service = Service::start(&data, &StartOptions::default()).await;
    service.caught_up(&["unspill", "store", "land", "load"]).await;
    let all: BTreeSet<_> = ids.into_iter().chain(sent).collect();
    assert_eq!(all.len(), 60);
    once(&service, &all).await;
    service.settle_everything().await;
    once(&service, &all).await;
    assert_eq!(service.invoke("unspill").await, serde_json::json!({ "objects": 0, "records": 0, "quarantined": 0 }));
    let said = std::fs::read_to_string(data.with_extension("stderr")).expect("what it said");
    let damage = said.lines().find(|line| line.contains("is damaged and was put aside")).expect("the damage is named");
    assert!(damage.contains("spill/1.ndjson.zst") && damage.contains("quarantine/spill/1.ndjson.zst"), "{damage}");
    assert!(service.terminate().await.success());
}

/// Twenty events: their ids, and whether they are in the bucket instead of the log. Nothing is refused.
async fn send(service: &Service) -> (Vec<Uuid>, bool) {
    let (ids, batch) = batch(20);
    let answer = service.post("/v1/batch").json(&batch).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200, "{answer:?}");
    let spilled = answer.headers().contains_key("x-clickstream-spilled");
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body["results"].as_array().map(Vec::len), Some(ids.len()));
    (ids, spilled)
}

/// Spill objects that wait, as the status has them.
async fn waiting(service: &Service) -> u64 {
    let status = service.json("/v1/status").await;
    let step = status["steps"].as_array().into_iter().flatten().find(|step| step["step"] == "unspill").expect("the step").clone();
    step["lag"].as_u64().expect("a number")
}

fn metric(text: &str, name: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} is missing"));
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
}

/// A click of now on the site `demo`.
fn event(id: Uuid) -> Event {
    let now = Micros::now();
    Event { event_id: id, site_id: "demo".into(), original_at: now, occurred_at: now, received_at: now, ..click(0, 0) }
}

/// Puts objects into the bucket of a service that does not run.
async fn put(data: &Path, objects: &[(&str, Vec<u8>)]) {
    let s3 = EmbeddedS3::start(&data.join("objects"), "clickstream").await.expect("the bucket opens");
    let bucket = S3Objects::connect(s3.config()).await;
    for (key, bytes) in objects {
        bucket.put(key, bytes.clone().into(), PutOptions::default()).await.expect("the object stands");
    }
    s3.shutdown().await;
}

/// Exactly these events are exported, each once.
async fn once(service: &Service, all: &BTreeSet<Uuid>) {
    let (from, to) = days();
    let exported = service.exported(&from, &to).await;
    assert!(exported.values().all(|count| *count == 1), "an event is counted twice");
    let missing = all.iter().filter(|id| !exported.contains_key(id)).count();
    assert_eq!((missing, exported.len()), (0, all.len()), "missing, exported");
}
