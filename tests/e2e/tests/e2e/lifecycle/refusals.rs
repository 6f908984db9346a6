//! Starts that cannot be: each ends with a sentence that says what is wrong and what would be right.

use std::{net::TcpListener, path::Path};

use clickstream_e2e::{Service, StartOptions, command, output};

/// What `up` says when it does not start, in an environment and with options of its own.
async fn refusal(data: &Path, environment: &[(&str, &str)], options: &[&str]) -> String {
    let mut up = command(data);
    up.arg("up").args(options).envs(environment.iter().copied());
    let said = output(up).await.expect_failure();
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("clickstream: ") || last.starts_with("error: ") || last.contains("--help"), "no sentence at the end: {said}");
    said
}

const ANY_PORT: [&str; 2] = ["--listen", "127.0.0.1:0"];

#[tokio::test(flavor = "multi_thread")]
async fn a_second_service_on_a_folder_is_told_who_has_it_and_the_first_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let service = Service::start(&data, &StartOptions::default()).await;
    let said = refusal(&data, &[], &ANY_PORT).await;
    for part in [&service.url, &service.pid().to_string(), &data.display().to_string(), "--data"] {
        assert!(said.contains(part), "{part} is missing: {said}");
    }
    assert!(service.get("/ready").send().await.expect("the first goes on").status().is_success());
    assert!(service.terminate().await.success());
    // Free again, and started again, as after a kill.
    let again = Service::start(&data, &StartOptions::default()).await;
    again.kill().await;
    assert!(Service::start(&data, &StartOptions::default()).await.terminate().await.success());
    assert!(!data.join("service.json").exists(), "what has ended is not announced");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named_and_so_is_the_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let said = refusal(&folder.path().join("data"), &[], &["--listen", &address]).await;
    assert!(said.contains(&address) && said.contains("--listen"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_door_needs_a_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080"] {
        let said = refusal(&data, &[], &["--listen", address]).await;
        assert!(said.contains("ADMIN_TOKEN") && said.contains("127.0.0.1"), "{said}");
    }
    assert!(!data.exists(), "nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_value_names_its_variable_and_what_would_be_right() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, value, right) in [
        ("ADMIN_TOKEN", "short", "16"),
        ("TRUSTED_PROXIES", "10.0.0.1", "10.0.0.0/8"),
        ("SITES", "shop", "shop:k3y"),
        ("SITES", "shop:k,../x:k", "shop:k3y"),
        ("COMPACT_INTERVAL", "often", "seconds"),
        ("COMPACT_INTERVAL", "0", "5"),
        ("LAND_WINDOW_MS", "1", "10"),
        ("LOG_PARTITIONS", "65", "64"),
        ("LOG_PARTITIONS", "-1", "64"),
        ("LOG_RETENTION_DAYS", "0", "days"),
        ("RAW_RETENTION_DAYS", "a week", "days"),
        ("EVENT_RETENTION_DAYS", "99999999999999999999", "days"),
        ("RAW_EXPIRY", "move", "delete, or tag"),
        ("RAW_EXPIRY", "tag", "the embedded bucket keeps no tags; set RAW_EXPIRY=delete"),
        ("INBOX_RETENTION_DAYS", "0", "days from 1 to 36500"),
        ("QUARANTINE_RETENTION_DAYS", "x", "days from 1 to 36500"),
        ("LAKE_DAYS", "7", "days from 31 to 36500, or nothing to keep all"),
        ("LAKE_FILE_MB", "257", "256"),
        ("LAKE_RETENTION_DAYS", "0", "days"),
        ("LISTEN", "localhost", "--listen"),
    ] {
        let said = refusal(&folder.path().join("data"), &[(name, value)], &[]).await;
        let named = said.contains(name) || said.contains(&format!("--{}", name.to_lowercase()));
        assert!(named && said.contains(value) && said.contains(right), "{name}={value}: {said}");
    }
    assert!(!folder.path().join("data").exists(), "nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").expect("a file");
    for data in [file.clone(), file.join("below")] {
        let said = refusal(&data, &[], &ANY_PORT).await;
        assert!(said.contains(&data.display().to_string()), "{said}");
    }
    // No user may make anything there, root included.
    let said = refusal(Path::new("/proc/clickstream"), &[], &ANY_PORT).await;
    assert!(said.contains("/proc/clickstream"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_wrong_libchdb_is_named_with_the_way_to_get_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("libchdb.so");
    let path = missing.display().to_string();
    let said = refusal(&folder.path().join("data"), &[("CHDB_LIB", &path)], &ANY_PORT).await;
    assert!(said.contains(&path) && said.contains("make deps"), "{said}");
    std::fs::write(&missing, "no library").expect("a file");
    let said = refusal(&folder.path().join("data"), &[("CHDB_LIB", &path)], &ANY_PORT).await;
    assert!(said.contains(&path) && said.contains("libchdb"), "{said}");
}
