//! A disk that fills up, and has space again.

use std::{collections::BTreeSet, process::Command, time::Duration};

use clickstream_e2e::{Service, StartOptions, command, eventually, output};
use reqwest::Response;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    clicks::{batch, days},
    disk::Disk,
};

/// Size of the disk. An empty service takes some 30 MB.
const DISK: &str = "160m";
/// Requests within which a full disk must be noticed: the log may have some space of its own.
const MOST_REQUESTS: usize = 20_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_answered_503_and_nothing_acknowledged_is_lost_and_all_goes_on_with_space() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = Disk::mount(&folder.path().join("disk"), DISK) else {
        println!("skipped: mounting a tmpfs takes root");
        return;
    };
    let data = disk.path().join("data");
    let options = StartOptions { environment: vec![("COMPACT_INTERVAL", "5".to_owned())], ..StartOptions::default() };
    let service = Service::start(&data, &options).await;
    let mut acknowledged = BTreeSet::new();
    for _ in 0..50 {
        acknowledged.extend(send(&service).await.expect("there is space"));
    }
    disk.fill();
    let mut refused = 0;
    for _ in 0..MOST_REQUESTS {
        match send(&service).await {
            Ok(ids) => acknowledged.extend(ids),
            Err(answer) => {
                refused += 1;
                unavailable(answer).await;
            }
        }
        if refused == 100 {
            break;
        }
        // What is freed by a checkpoint is taken again.
        if refused == 0 {
            disk.fill();
        }
    }
    assert!(refused > 0, "a full disk is never noticed");
    println!("{} events acknowledged, {refused} requests refused", acknowledged.len());
    files_are_refused(&service).await;
    assert!(service.get("/health").send().await.expect("an answer").status().is_success());
    service.json("/v1/status").await;

    disk.free();
    eventually(Duration::from_mins(1), "events are taken again", || async {
        match send(&service).await {
            Ok(ids) => Ok(ids),
            Err(answer) => Err(format!("{answer:?}")),
        }
    })
    .await;
    whole(&service, &acknowledged).await;
    service.caught_up(&["store", "land", "load", "compact", "settle"]).await;
    whole(&service, &acknowledged).await;

    // A start on a full disk ends with a sentence, or is one; nothing is lost by it.
    disk.fill();
    service.terminate().await;
    let mut up = command(&data);
    up.args(["up", "--listen", "127.0.0.1:0"]);
    starts_or_says_why(up).await;
    disk.free();
    let service = Service::start(&data, &options).await;
    whole(&service, &acknowledged).await;
    assert_eq!(service.terminate().await.code(), Some(0));
}

/// A few events: their ids, or the answer that refuses them.
async fn send(service: &Service) -> Result<Vec<Uuid>, Response> {
    let (ids, batch) = batch(20);
    let answer = service.post("/v1/batch").json(&batch).send().await.expect("an answer");
    if !answer.status().is_success() {
        return Err(answer);
    }
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body["results"].as_array().map(Vec::len), Some(ids.len()));
    Ok(ids)
}

async fn unavailable(answer: Response) {
    assert_eq!(answer.status().as_u16(), 503, "{answer:?}");
    let wait: u32 = answer.headers()["retry-after"].to_str().expect("a text").parse().expect("seconds");
    assert!((1..=60).contains(&wait));
    let problem: Value = answer.json().await.expect("a problem");
    assert!(problem["detail"].as_str().is_some_and(|d| d.contains("again")), "{problem}");
}

/// A file finds no room either, and is told so.
async fn files_are_refused(service: &Service) {
    let answer = service.put("/v1/inbox/demo/full.ndjson").body(vec![b'\n'; 8 << 20]).send().await.expect("an answer");
    let status = answer.status().as_u16();
    assert!(status == 503 || status == 507, "{answer:?}");
    let problem: Value = answer.json().await.expect("a problem");
    assert!(problem["detail"].is_string(), "{problem}");
}

/// Everything acknowledged is exported, once.
async fn whole(service: &Service, acknowledged: &BTreeSet<Uuid>) {
    let (from, to) = days();
    eventually(Duration::from_mins(2), "everything acknowledged is exported", || async {
        let exported = service.exported(&from, &to).await;
        assert!(exported.values().all(|count| *count == 1), "an event is counted twice");
        let missing = acknowledged.iter().filter(|id| !exported.contains_key(id)).count();
        if missing == 0 { Ok(()) } else { Err(format!("{missing} of {} missing", acknowledged.len())) }
    })
    .await;
}

/// Ends at once with a sentence; a service that does start is ended again.
async fn starts_or_says_why(up: Command) {
    let Ok(said) = tokio::time::timeout(Duration::from_secs(20), output(up)).await else {
        println!("the service starts on a full disk");
        return;
    };
    let said = said.expect_failure();
    println!("on a full disk: {}", said.lines().last().unwrap_or_default());
}
