//! An older copy of the log is put back: it would give offsets out again that are settled as other events.

use std::{fs, path::Path};

use clickstream_e2e::{Service, StartOptions, command, output};

use crate::clicks::{batch, days};

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lacks_what_is_settled_is_refused_until_the_right_one_is_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, kept) = (folder.path().join("data"), folder.path().join("kept"));
    let mut acknowledged = events(&data).await;
    copy(&data.join("log"), &kept);
    acknowledged += events(&data).await;

    let newest = folder.path().join("newest");
    fs::rename(data.join("log"), &newest).expect("the log is moved");
    copy(&kept, &data.join("log"));
    let mut up = command(&data);
    up.args(["up", "--listen", "127.0.0.1:0"]);
    let said = output(up).await.expect_failure();
    for part in
        ["partition 0 of topic events", "partition 1 of topic events", "settled up to", "put back", &data.join("log").display().to_string()]
    {
        assert!(said.contains(part), "{part} is missing: {said}");
    }

    fs::remove_dir_all(data.join("log")).expect("removed");
    fs::rename(&newest, data.join("log")).expect("the log is back");
    acknowledged += events(&data).await;
    let service = Service::start(&data, &StartOptions::default()).await;
    let (from, to) = days();
    let exported = service.exported(&from, &to).await;
    assert!(exported.values().all(|count| *count == 1) && exported.len() == acknowledged, "{} of {acknowledged}", exported.len());
    // A log that is gone as a whole is another log.
    assert!(service.terminate().await.success());
    fs::remove_dir_all(data.join("log")).expect("removed");
    acknowledged += events(&data).await;
    let service = Service::start(&data, &StartOptions::default()).await;
    assert_eq!(service.exported(&from, &to).await.len(), acknowledged);
}

/// Starts on `data`, sends events, settles them, and ends; says how many.
async fn events(data: &Path) -> usize {
    let service = Service::start(data, &StartOptions::default()).await;
    let (ids, events) = batch(200);
    let answer = service.post("/v1/batch").json(&events).send().await.expect("an answer");
    assert!(answer.status().is_success());
    service.caught_up(&["store", "land", "load"]).await;
    service.settle_everything().await;
    assert!(service.terminate().await.success());
    ids.len()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for file in fs::read_dir(from).expect("the folder") {
        let file = file.expect("a file");
        fs::copy(file.path(), to.join(file.file_name())).expect("copied");
    }
}
