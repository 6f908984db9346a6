//! The whole way of an event on servers.

use std::time::Duration;

use clickstream_e2e::eventually;
use serde_json::Value;

use super::scene::Scene;
use crate::clicks::days;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_goes_the_whole_way_on_servers_and_a_file_under_an_odd_name_too() {
    let mut scene = Scene::new().await;
    let again = scene.setup().await.expect_success();
    assert!(again.contains("is there") && again.contains("up to date"), "{again}");

    assert_eq!(scene.send(50).await, 0, "the log takes events");
    let id = *scene.acknowledged.first().expect("an event");
    let trace = eventually(Duration::from_mins(1), "the event is visible", || async {
        let trace = scene.service.json(&format!("/v1/events/{id}/trace?wait=20")).await;
        if trace["warehouse"]["visible"] == true { Ok(trace) } else { Err(trace.to_string()) }
    })
    .await;
    assert_eq!((&trace["log"]["topic"], &trace["store"]["stored"]), (&Value::from("events"), &Value::from(true)));
    assert!(trace["raw"]["key"].as_str().is_some_and(|key| key.starts_with("raw/events/")), "{trace}");

    // What MinIO announces of it is escaped as in a form.
    let name = "räume 100%+a b.ndjson";
    let event =
        r#"{"event_id":"0b7e4a52-5d0c-4b8e-9a61-3f1c7d2e8c01","action":"click","element_id":"e","anonymous_id":"a","original_at":"NOW"}"#;
    let now = format!("{}T00:00:00Z", days().1);
    let path = format!("/v1/inbox/demo/{}", percent(name));
    let put = scene.service.put(&path).body(event.replace("NOW", &now)).send().await.expect("an answer");
    assert_eq!(put.status().as_u16(), 201, "{}", put.text().await.unwrap_or_default());
    let put: Value = put.json().await.expect("JSON");
    let receipt = percent(put["receipt"].as_str().expect("a receipt"));
    let receipt = eventually(Duration::from_mins(1), "the file is done", || async {
        let answer = scene.service.get(&format!("/v1/{receipt}")).send().await.map_err(|e| e.to_string())?;
        if answer.status().is_success() {
            answer.json::<Value>().await.map_err(|e| e.to_string())
        } else {
            Err(answer.status().to_string())
        }
    })
    .await;
    assert_eq!((&receipt["lines"], &receipt["rejected"]), (&Value::from(1), &Value::from(0)), "{receipt}");
    scene.acknowledged.insert("0b7e4a52-5d0c-4b8e-9a61-3f1c7d2e8c01".parse().expect("a UUID"));

    scene.caught_up().await;
    scene.counts_are_right().await;
    let people = scene.service.json("/v1/users/a/events?site=demo&anonymous=true&limit=500").await;
    assert_eq!(people["events"].as_array().map(Vec::len), Some(500));
    let scene = scene.restart().await;
    scene.counts_are_right().await;
    let Scene { service, .. } = scene;
    assert_eq!(service.terminate().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_not_set_up_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = clickstream_e2e::command(folder.path());
    command.arg("up").env("LOG_URL", "mysql://127.0.0.1");
    let said = clickstream_e2e::output(command).await.expect_failure();
    assert!(said.contains("LOG_URL") && said.contains("kafka://"), "{said}");
    let mut command = clickstream_e2e::command(folder.path());
    command.arg("up").env("LOG_URL", "kafka://127.0.0.1:1").env("WORK", "off");
    let said = clickstream_e2e::output(command).await.expect_failure();
    assert!(said.contains("WORK=off") && said.contains("STORE_URL is not set"), "{said}");
    let mut command = clickstream_e2e::command(folder.path());
    command.arg("setup");
    let said = clickstream_e2e::output(command).await.expect_failure();
    assert!(said.contains("no server is named"), "{said}");
}

fn percent(text: &str) -> String {
    let escape = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-._/".contains(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(escape).collect()
}
