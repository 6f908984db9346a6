//! `trace`.

use clickstream_e2e::{Service, StartOptions, eventually};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_followed_step_by_step_and_a_rejected_or_unknown_one_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::start(&folder.path().join("data"), &StartOptions::default()).await;
    let (good, bad) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    let batch = json!([
        { "type": "track", "event": "element_clicked", "messageId": good, "anonymousId": "a", "properties": { "element_id": "e" } },
        { "type": "track", "event": "element_clicked", "messageId": bad, "anonymousId": "a" },
    ]);
    let answer = service.post("/v1/batch").json(&json!({ "writeKey": "demo", "batch": batch })).send().await.expect("an answer");
    let answer: Value = answer.json().await.expect("JSON");
    assert_eq!(answer["results"][1]["result"], "rejected", "{answer}");

    let trace = async |id: &str| -> Result<Value, String> {
        let output = service.command(["trace", id, "--json"]).await;
        if output.success { serde_json::from_str(&output.stdout).map_err(|e| e.to_string()) } else { Err(output.stderr) }
    };
    let found = eventually(Duration::from_secs(20), "the event is in ClickHouse", || async {
        let trace = trace(&good).await?;
        if trace["warehouse"]["visible"] == true { Ok(trace) } else { Err(trace.to_string()) }
    })
    .await;
    assert_eq!((&found["log"]["topic"], &found["warehouse"]["settled"], &found["lake"]), (&json!("events"), &json!(false), &Value::Null));
    assert!(found["raw"]["key"].as_str().is_some_and(|key| key.starts_with("raw/events/")), "{found}");
    service.invoke("compact").await;
    service.invoke("settle").await;
    let settled = trace(&good).await.expect("found");
    assert!(settled["warehouse"]["settled"] == true && settled["lake"]["version"].is_u64(), "{settled}");
    let text = service.command(["trace", &good]).await.expect_success();
    for step in ["event_id", "verdict", "log", "store", "raw", "lake", "warehouse"] {
        assert!(text.lines().any(|line| line.starts_with(step)), "{step} is missing: {text}");
    }
    assert!(!text.contains("not yet"), "{text}");

    let rejected = eventually(Duration::from_secs(20), "the rejection is stored", || trace(&bad)).await;
    assert_eq!(rejected["verdict"], "rejected");
    assert_eq!(rejected["reasons"][0]["code"], "element_missing", "{rejected}");
    let text = service.command(["trace", &bad]).await.expect_success();
    assert!(text.contains("rejected") && text.contains("element"), "{text}");

    let unknown = Uuid::new_v4().to_string();
    let said = service.command(["trace", &unknown]).await.expect_failure();
    assert!(said.contains(&unknown), "{said}");
    for wrong in ["no-id", "a/b?c", "../status"] {
        let said = service.command(["trace", wrong]).await.expect_failure();
        assert!(said.contains("UUID"), "{wrong}: {said}");
    }
    let said = service.command(["trace", &good, "--site", "demo-news"]).await.expect_failure();
    assert!(said.contains(&good), "{said}");
}
