//! Kafka away.

use serde_json::json;

use super::requests::{answered, batch, counts};
use crate::{eventually::eventually, scene::Scene};

/// collect keeps the event in the bucket and says so; unspill, to which the bucket announces it, fails and has a dead letter;
/// when Kafka is back, what the dead letter holds is sent to the function again, as docs/aws.md says, and the event counts.
pub async fn what_the_log_does_not_take_is_spilled_and_returns(scene: &Scene) {
    scene.kafka("stop").await;
    let request = scene.aws.client().post(format!("{}/v1/batch", scene.fact("rest_api"))).basic_auth("demo", Some(""));
    let (status, spilled, body) = answered(request.json(&batch("m-spilled"))).await;
    let result = &body["results"][0];
    assert_eq!((status, spilled, &result["result"]), (200, true, &json!("accepted")), "{body}");
    let event_id = result["event_id"].as_str().expect("an event id").to_owned();
    assert_eq!(scene.aws.keys("spill/").await.len(), 1);
    let letter =
        eventually(180, "unspill gives up", || async { scene.aws.receive(scene.fact("queue_Unspill")).await.ok_or("not yet".to_owned()) })
            .await;
    assert!(letter["responsePayload"]["errorMessage"].as_str().is_some_and(|error| error.contains("log")), "{letter}");

    scene.kafka("start").await;
    let returned = eventually(120, "unspill returns it", || async {
        scene.aws.invoke(scene.fact("function_Unspill"), &letter["requestPayload"]).await.map_err(|error| error.to_string())
    });
    assert_eq!(returned.await["objects"], 1);
    assert!(scene.aws.keys("spill/").await.is_empty());
    counts(scene, &event_id).await;
}
