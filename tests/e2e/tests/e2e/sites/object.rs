//! The sites file in the bucket.

use clickstream_e2e::Service;
use serde_json::Value;

use super::scene::{Scene, status};

const TOKEN: &str = "a-token-of-many-characters";
const ENVIRONMENT: [(&str, &str); 1] = [("ADMIN_TOKEN", TOKEN)];
const SITES: &str = "[[site]]\nid = \"shop\"\nwrite_keys = [\"k3y\"]\n";

async fn put(service: &Service, token: &str, sites: &str) -> (u16, Value) {
    let answer = service.put("/v1/sites").bearer_auth(token).body(sites.to_owned()).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_are_put_into_the_bucket_and_hold_at_once_and_after_a_restart() {
    let scene = Scene::new("");
    let service = scene.start_with("object:config/sites.toml", &ENVIRONMENT).await;
    assert_eq!(status(&service, "demo").await, 401, "there is no site yet");
    assert_eq!(put(&service, "a-wrong-token-of-many", SITES).await.0, 401);
    let (refused, problem) = put(&service, TOKEN, "[[site]]\nid = \"shop\"\n").await;
    assert_eq!((refused, problem["code"].as_str()), (400, Some("sites_wrong")));
    assert!(problem["detail"].as_str().is_some_and(|d| d.contains("line 1") && d.contains("write_keys")), "{problem}");
    let (taken, listed) = put(&service, TOKEN, SITES).await;
    assert_eq!((taken, &listed["sites"]), (200, &serde_json::json!(["shop"])));
    assert_eq!(status(&service, "k3y").await, 200);
    service.kill().await;

    let service = scene.start_with("object:config/sites.toml", &ENVIRONMENT).await;
    assert_eq!(status(&service, "k3y").await, 200);
    service.kill().await;

    // Nobody changes who may write without the token, and not where a file of the machine rules.
    let service = scene.start_with("object:config/sites.toml", &[]).await;
    let (refused, problem) = put(&service, TOKEN, SITES).await;
    assert_eq!((refused, problem["code"].as_str()), (403, Some("token_needed")));
    service.kill().await;
    scene.write(SITES);
    let service = scene.start_with(&scene.file().display().to_string(), &ENVIRONMENT).await;
    let (refused, problem) = put(&service, TOKEN, SITES).await;
    assert_eq!((refused, problem["code"].as_str()), (409, Some("sites_elsewhere")));
}
