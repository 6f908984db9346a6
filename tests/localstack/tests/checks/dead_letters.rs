//! What a function gives up.

use crate::{eventually::eventually, scene::Scene};

/// The message holds the event and the error; docs/aws.md says what to do with it.
pub async fn an_object_that_load_cannot_read_is_in_its_queue_after_three_tries(scene: &Scene) {
    let log = scene.fact("log_id");
    let key = format!("raw/events/{log}/00063/00000000000000000000-00000000000000000000.parquet");
    scene.aws.put(&key, "no Parquet").await;
    let letter =
        eventually(60, "a dead letter comes", || async { scene.aws.receive(scene.fact("queue_Load")).await.ok_or("none yet".to_owned()) })
            .await;
    assert_eq!(letter["requestContext"]["approximateInvokeCount"], 3, "{letter}");
    assert_eq!(letter["requestPayload"]["Records"][0]["s3"]["object"]["key"], key.as_str(), "{letter}");
    let error = letter["responsePayload"]["errorMessage"].as_str().unwrap_or_default();
    assert!(error.contains("this is no Parquet file"), "{letter}");
}
