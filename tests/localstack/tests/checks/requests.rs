//! Requests to collect, through what stands before it.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use reqwest::{Body, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::{eventually::eventually, scene::Scene};

/// One event in Segment's shape, with the id `message`.
pub fn batch(message: &str) -> Value {
    json!({ "batch": [{
        "type": "track", "event": "element_clicked", "messageId": message, "anonymousId": "a-1",
        "context": { "device": { "type": "desktop" } }, "properties": { "element_id": "buy-now" }
    }] })
}

/// The answer's status, whether it was spilled, and its body.
pub async fn answered(request: RequestBuilder) -> (u16, bool, Value) {
    let answer: Response = request.send().await.expect("LocalStack answers");
    let (status, spilled) = (answer.status().as_u16(), answer.headers().contains_key("x-clickstream-spilled"));
    let text = answer.text().await.expect("an answer is read");
    (status, spilled, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Sends an event to the REST API; answers its id.
pub async fn sent(request: RequestBuilder, message: &str) -> String {
    let (status, spilled, body) = answered(request).await;
    let result = &body["results"][0];
    assert_eq!((status, spilled, &result["messageId"], &result["result"]), (200, false, &json!(message), &json!("accepted")), "{body}");
    result["event_id"].as_str().expect("an event id").to_owned()
}

/// Waits until an event, which the host landed, was loaded by the function that the bucket announces to.
pub async fn counts(scene: &Scene, event_id: &str) {
    eventually(60, "the event is in ClickHouse", || async {
        let found = scene.clickhouse(&format!("SELECT count() FROM clicks WHERE event_id = '{event_id}'")).await;
        if found == "1" { Ok(()) } else { Err(format!("{found} rows; {}", scene.host.trace(event_id).await)) }
    })
    .await;
}

fn post(scene: &Scene, body: impl Into<Body>) -> RequestBuilder {
    let request = scene.aws.client().post(format!("{}/v1/batch", scene.fact("rest_api")));
    request.basic_auth("demo", Some("")).header("content-type", "application/json").body(body)
}

/// REST API, collect, Kafka, the host's land, the bucket's announcement, load, ClickHouse.
pub async fn an_event_through_the_rest_api_counts(scene: &Scene) {
    let event_id = sent(post(scene, batch("m-rest").to_string()), "m-rest").await;
    counts(scene, &event_id).await;
    let trace = scene.host.trace(&event_id).await;
    assert!(trace["raw"].to_string().contains("raw/events/"), "{trace}");
}

/// The gateway hands binary bodies on as base64.
pub async fn a_body_that_is_no_text_comes_whole_through_the_rest_api(scene: &Scene) {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(batch("m-gzip").to_string().as_bytes()).expect("memory takes bytes");
    let request = post(scene, packed.finish().expect("memory takes bytes")).header("content-encoding", "gzip");
    let event_id = sent(request, "m-gzip").await;
    counts(scene, &event_id).await;
}

/// Payload format 2.0, as HTTP APIs and function URLs send it.
pub async fn an_event_through_the_function_url_counts(scene: &Scene) {
    let url = scene.fact("output_CollectUrl");
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let request = scene.aws.client().post(format!("{}/v1/batch", scene.aws.endpoint)).header("host", host);
    let event_id = sent(request.basic_auth("demo", Some("")).json(&batch("m-url")), "m-url").await;
    counts(scene, &event_id).await;
}

/// A refusal, through the gateway, is what collect said.
pub async fn a_stranger_is_told_what_would_be_right(scene: &Scene) {
    let request = scene.aws.client().post(format!("{}/v1/batch", scene.fact("rest_api"))).basic_auth("nobody", Some(""));
    let (status, _, body) = answered(request.json(&batch("m-stranger"))).await;
    assert_eq!((status, &body["status"]), (401, &json!(401)), "{body}");
    assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{body}");
}
