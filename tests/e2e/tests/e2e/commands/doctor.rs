//! `doctor` without servers of Java: embedded parts, ClickHouse of our own, and addresses where nobody is.

use std::{path::Path, process::Stdio, time::Duration};

use clickstream_e2e::{Output, Service, StartOptions, command, output};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    time::{Instant, timeout},
};

/// A password of a ClickHouse that only this test knows.
const PASSWORD: &str = "a-password-of-many-characters";

async fn doctor(data: &Path, environment: &[(&str, &str)], options: &[&str]) -> Output {
    let mut doctor = command(data);
    doctor.arg("doctor").args(options).envs(environment.iter().copied());
    output(doctor).await
}

/// What is found of `part`: check, state, and all that is said.
fn findings(json: &str, part: &str) -> Vec<(String, String, String)> {
    let found: Vec<Value> = serde_json::from_str(json).unwrap_or_else(|e| panic!("no findings ({e}): {json}"));
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let of_part = found.iter().filter(|finding| finding["part"] == part);
    of_part.map(|f| (text(f, "check"), text(f, "state"), format!("{} {}", text(f, "found"), text(f, "mend")))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_parts_are_well_beside_a_running_service_and_without_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let service = Service::start(&data, &StartOptions::default()).await;
    let said = doctor(&data, &[], &[]).await.expect_success();
    assert!(said.contains("all ") && said.contains(&service.url) && said.contains("embedded, in"), "{said}");
    assert!(service.terminate().await.success());
    let said = doctor(&data, &[], &[]).await.expect_success();
    assert!(said.contains("nothing is broken, 1 warning") && said.contains("clickstream up"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_away_are_each_named_by_variable_and_remedy_and_no_password_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let away = [
        ("LOG_URL", "kafka://127.0.0.1:9"),
        ("STORE_URL", "scylla://127.0.0.1:9/clickstream"),
        ("OBJECTS_URL", "s3://clickstream?endpoint=http://127.0.0.1:9"),
        ("WAREHOUSE_URL", "http://user:hush-hush@127.0.0.1:9/clickstream"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "hush-hush"),
    ];
    let began = Instant::now();
    let said = doctor(folder.path(), &away, &["--json"]).await;
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
    for (part, variable) in [("log", "LOG_URL"), ("store", "STORE_URL"), ("objects", "OBJECTS_URL"), ("warehouse", "WAREHOUSE_URL")] {
        let found = findings(&said.stdout, part);
        let (check, _, text) = found.iter().find(|(_, state, _)| state == "broken").unwrap_or_else(|| panic!("{part} is away: {found:?}"));
        assert!(
            check == "reachable" && text.contains(variable) && text.contains("127.0.0.1:9") && text.contains("start"),
            "{part}: {text}"
        );
    }
    assert!(!said.stdout.contains("hush-hush"), "{}", said.stdout);
    assert_eq!(said.expect_failure().trim_end(), "clickstream: 4 checks are broken, 2 warnings");
    // The table says the same.
    let said = doctor(folder.path(), &away[..1], &[]).await;
    assert!(said.stdout.contains("BROKEN log, reachable: kafka://") && said.stdout.contains("-> start the brokers"), "{}", said.stdout);
    // What cannot be read is no reason to say nothing.
    let said = doctor(folder.path(), &[("LOG_URL", "mysql://h")], &[]).await;
    assert!(said.stdout.contains("LOG_URL") && said.stdout.contains("kafka://"), "{}", said.stdout);
    assert!(said.expect_failure().contains("1 check is broken"));
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_is_broken_until_it_is_set_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut served = command(folder.path());
    served.args(["clickhouse", "--listen", "127.0.0.1:0"]).env("CLICKHOUSE_PASSWORD", PASSWORD).stdout(Stdio::piped());
    let mut served = tokio::process::Command::from(served).kill_on_drop(true).spawn().expect("the binary starts");
    let mut lines = BufReader::new(served.stdout.take().expect("stdout is piped")).lines();
    let ready = timeout(Duration::from_mins(2), lines.next_line()).await.expect("in time").expect("a line").expect("it is ready");
    let address = ready.rsplit_once('@').expect("an address").1;
    let (url, wrong) = (format!("http://default:{PASSWORD}@{address}"), format!("http://default:wrong@{address}"));
    let data = folder.path().join("service");
    let environment = [("WAREHOUSE_URL", url.as_str())];

    let found = findings(&doctor(&data, &environment, &["--json"]).await.stdout, "warehouse");
    let states: Vec<_> = found.iter().map(|(check, state, _)| (check.as_str(), state.as_str())).collect();
    assert_eq!(states, [("reachable", "ok"), ("tables", "broken"), ("rights", "ok"), ("clock", "ok")], "{found:?}");
    assert!(found[1].2.contains("clickstream setup"), "{found:?}");
    let mut setup = command(&data);
    setup.arg("setup").envs(environment);
    output(setup).await.expect_success();
    let found = findings(&doctor(&data, &environment, &["--json"]).await.stdout, "warehouse");
    assert!(found.iter().all(|(_, state, _)| state == "ok"), "{found:?}");

    let found = findings(&doctor(&data, &[("WAREHOUSE_URL", &wrong)], &["--json"]).await.stdout, "warehouse");
    assert!(found[0].1 == "broken" && found[0].2.contains("password"), "{found:?}");
    served.kill().await.expect("it is killed");
    let found = findings(&doctor(&data, &environment, &["--json"]).await.stdout, "warehouse");
    assert!(found[0].1 == "broken" && found[0].2.contains("start ClickHouse"), "{found:?}");
}
