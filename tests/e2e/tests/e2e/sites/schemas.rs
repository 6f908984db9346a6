//! Schemas of events, changed while the service runs.

use std::time::Duration;

use clickstream_e2e::{Service, eventually};
use serde_json::{Value, json};

use super::scene::{Scene, event, send};

fn sites(violation: &str) -> String {
    format!(
        r#"
[[site]]
id = "shop"
write_keys = ["k3y"]
[[site.schema]]
event = "order_completed"
violation = "{violation}"
schema = {{ type = "object", required = ["total"], properties = {{ total = {{ type = "number" }} }} }}
"#
    )
}

async fn result(service: &Service, properties: Value) -> Value {
    let answer = send(service, "k3y", &[event(&properties)]).await;
    assert_eq!(answer.status(), 200);
    answer.json::<Value>().await.expect("JSON")["results"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_violated_schema_warns_or_rejects_as_the_site_says() {
    let scene = Scene::new(&sites("warn"));
    let service = scene.start().await;
    assert_eq!(result(&service, json!({ "total": 1.5 })).await["result"], "accepted");
    let warned = result(&service, json!({ "total": "much" })).await;
    assert_eq!(warned["result"], "suspicious");
    let reason = warned["reasons"].as_array().into_iter().flatten().find(|r| r["code"] == "schema_violated").cloned();
    let reason = reason.unwrap_or_else(|| panic!("{warned}"));
    assert_eq!(reason["field"], "/properties/total");
    assert!(reason["message"].as_str().is_some_and(|m| m.contains("number") && !m.contains("much")), "{reason}");

    scene.write(&sites("reject"));
    let rejected = eventually(Duration::from_secs(15), "the new rule holds", || async {
        let result = result(&service, json!({})).await;
        if result["result"] == "rejected" { Ok(result) } else { Err(result.to_string()) }
    })
    .await;
    assert_eq!((&rejected["reasons"][0]["code"], &rejected["reasons"][0]["field"]), (&json!("schema_violated"), &json!("/properties")));
    assert_eq!(result(&service, json!({ "total": 1 })).await["result"], "accepted");

    scene.write(&sites("reject").replace("number", "nothing"));
    eventually(Duration::from_secs(15), "a schema that is none is told", || async {
        let error = service.json("/v1/status").await["sites"]["error"].clone();
        error.as_str().filter(|e| e.contains("line 8: schema of [site.schema]")).map(|_| ()).ok_or_else(|| error.to_string())
    })
    .await;
    assert_eq!(result(&service, json!({})).await["result"], "rejected");
}
