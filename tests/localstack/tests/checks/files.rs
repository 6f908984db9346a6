//! Files in the inbox.

use serde_json::{Value, json};

use super::requests::counts;
use crate::{eventually::eventually, scene::Scene};

/// The receipt of the file whose name begins with `name`.
async fn receipt(scene: &Scene, name: &str) -> Value {
    eventually(60, "the file has a receipt", || async {
        let keys = scene.aws.keys("receipts/demo/").await;
        let key = keys.iter().find(|key| key.contains(name)).ok_or_else(|| format!("{keys:?}"))?;
        let text = scene.aws.get(&key.replace(' ', "%20").replace('+', "%2B")).await.ok_or("it is gone")?;
        serde_json::from_slice(&text).map_err(|error| error.to_string())
    })
    .await
}

/// The bucket announces the file, whatever its name looks like; its events take the way of all others.
pub async fn a_file_in_the_inbox_becomes_events(scene: &Scene) {
    let id = "6f1d2c3b-4a59-4687-8796-a5b4c3d2e1f0";
    let event = json!({ "event_id": id, "action": "click", "element_id": "buy", "user_id": "u", "timestamp": "2026-11-20T10:00:00Z" });
    let wrong = json!({ "event_id": "6f1d2c3b-4a59-4687-8796-a5b4c3d2e1f1", "action": "fly" });
    scene.aws.put("inbox/demo/from%20a%2Bshop.ndjson", format!("{event}\n{wrong}\n")).await;
    let receipt = receipt(scene, "from a+shop.ndjson").await;
    assert_eq!((&receipt["file"], &receipt["lines"]), (&json!("inbox/demo/from a+shop.ndjson"), &json!(2)), "{receipt}");
    assert_eq!((&receipt["rejected"], &receipt["error"]), (&json!(1), &Value::Null), "{receipt}");
    counts(scene, id).await;
}

/// A file that is none is no failure of the function: its receipt says what is wrong.
pub async fn a_file_that_cannot_be_read_has_a_receipt_that_says_why(scene: &Scene) {
    scene.aws.put("inbox/demo/broken.parquet", "this is no Parquet").await;
    let receipt = receipt(scene, "broken.parquet").await;
    assert!(receipt["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{receipt}");
}
