//! A person erased and exported over HTTP and by the commands, through a kill in the middle.

use std::time::Duration;

use clickstream_e2e::{Output, Service, StartOptions, command, eventually, output};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const TOKEN: &str = "a-token-of-many-characters";
const ANN: &str = "ann+4711@shop.example";

fn options() -> StartOptions {
    let environment = [("ADMIN_TOKEN", TOKEN), ("COMPACT_INTERVAL", "86400")];
    StartOptions { environment: environment.map(|(name, value)| (name, value.to_owned())).to_vec(), ..StartOptions::default() }
}

async fn ask(service: &Service, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let mut request = service.request(method, path).bearer_auth(TOKEN);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("the answer is whole");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn get(service: &Service, path: &str) -> Value {
    ask(service, Method::GET, path, None).await.1
}

/// Runs a command with the token.
async fn run(service: &Service, arguments: &[&str]) -> Output {
    let mut command = command(service.data());
    command.env("ADMIN_TOKEN", TOKEN).args(arguments);
    output(command).await
}

async fn send(service: &Service, user: &str, anonymous: &str) -> String {
    let id = Uuid::new_v4().to_string();
    let event = json!({ "type": "track", "event": "element_clicked", "messageId": id, "userId": user, "anonymousId": anonymous,
        "timestamp": "2026-11-24T10:00:00Z", "properties": { "element_id": "buy" } });
    let answer = service.post("/v1/batch").json(&json!({ "writeKey": "demo", "batch": [event] })).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    id
}

/// Waits until an event's trace has `step`.
async fn reached(service: &Service, id: &str, has: impl Fn(&Value) -> bool) -> Value {
    eventually(Duration::from_secs(30), "the event has come there", || async {
        let trace = get(service, &format!("/v1/events/{id}/trace")).await;
        if has(&trace) { Ok(trace) } else { Err(trace.to_string()) }
    })
    .await
}

async fn settle(service: &Service) {
    for function in ["compact", "settle"] {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let (status, answer) = ask(service, Method::POST, &path, Some(json!({}))).await;
        assert!(status == 200 && answer["errorMessage"].is_null(), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_erased_through_a_kill_and_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let service = Service::start(&data, &options()).await;
    let (of_ann, of_bob) = (send(&service, ANN, "device-1").await, send(&service, "bob", "device-2").await);
    for id in [&of_ann, &of_bob] {
        reached(&service, id, |trace| trace["warehouse"]["visible"] == true).await;
    }
    settle(&service).await;
    reached(&service, &of_ann, |trace| trace["warehouse"]["settled"] == true).await;
    let fresh = send(&service, ANN, "device-1").await;
    reached(&service, &fresh, |trace| trace["warehouse"]["visible"] == true).await;

    let user = percent(ANN);
    let export = run(&service, &["export", "--site", "demo", "--user", ANN]).await.expect_success();
    assert_eq!(export.lines().count(), 2, "{export}");
    assert!(!export.contains("bob"), "{export}");

    let (status, begun) = ask(&service, Method::POST, "/v1/erasures", Some(json!({ "site": "demo", "user_id": ANN }))).await;
    assert_eq!(status, 202, "{begun}");
    let at = begun["status"].as_str().expect("where the status stands").to_owned();
    eventually(Duration::from_mins(1), "tombstones stand", || async {
        let now = get(&service, &at).await;
        if ["persons", "tombstones"].iter().all(|step| now["step"] != *step) { Ok(()) } else { Err(now.to_string()) }
    })
    .await;
    service.kill().await;

    let service = Service::start(&data, &options()).await;
    let done = eventually(Duration::from_mins(3), "the erasure is done", || async {
        let now = get(&service, &at).await;
        if now["step"] == "done" { Ok(now) } else { Err(now.to_string()) }
    })
    .await;
    assert_eq!(done["receipt"]["persons"].as_array().map(Vec::len), Some(2), "{done}");
    assert!(!done.to_string().contains("ann") && done["receipt"]["left"] == json!([]), "{done}");
    let timeline = get(&service, &format!("/v1/users/{user}/events?site=demo")).await;
    assert_eq!(timeline["events"], json!([]));
    assert_eq!(run(&service, &["export", "--site", "demo", "--user", ANN]).await.expect_success(), "");
    let trace = get(&service, &format!("/v1/events/{of_ann}/trace")).await;
    assert_eq!((&trace["verdict"], &trace["warehouse"]), (&json!("erased"), &Value::Null), "{trace}");
    let trace = get(&service, &format!("/v1/events/{of_bob}/trace")).await;
    assert_eq!((&trace["verdict"], &trace["warehouse"]["settled"]), (&json!("suspicious"), &json!(true)), "no device was named: {trace}");
    let report = get(&service, "/v1/reports/elements?site=demo&from=2026-11-24&to=2026-11-24").await;
    assert_eq!(report["rows"][0]["clicks"], 1, "{report}");

    // A resend and a late event are of before; what happens now counts.
    let late = send(&service, ANN, "device-1").await;
    let bob = send(&service, "bob", "device-2").await;
    reached(&service, &bob, |trace| trace["warehouse"]["visible"] == true).await;
    reached(&service, &late, |trace| trace["verdict"] == "erased" && trace["warehouse"].is_null()).await;

    // The receipt, byte for byte, verifies, and a changed one does not.
    let path = format!("{}/receipt?site=demo", at.split('?').next().unwrap_or_default());
    let receipt = service.get(&path).bearer_auth(TOKEN).send().await.expect("an answer").text().await.expect("whole");
    let file = folder.path().join("receipt.json");
    std::fs::write(&file, format!("{receipt}\n")).expect("a file");
    let file = file.display().to_string();
    run(&service, &["erase", "--verify", &file]).await.expect_success();
    std::fs::write(&file, receipt.replace("\"site_id\":\"demo\"", "\"site_id\":\"other\"")).expect("a file");
    let said = run(&service, &["erase", "--verify", &file]).await.expect_failure();
    assert!(said.contains("not as it was signed"), "{said}");
    service.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_erased_without_the_token_and_a_wrong_request_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let service = Service::start(&data, &StartOptions::default()).await;
    let (status, problem) = ask(&service, Method::POST, "/v1/erasures", Some(json!({ "site": "demo", "user_id": "x" }))).await;
    assert_eq!((status, &problem["code"]), (403, &json!("token_needed")));
    let said = service.command(["erase", "--site", "demo", "--user", "x"]).await.expect_failure();
    assert!(said.contains("ADMIN_TOKEN"), "{said}");
    service.terminate().await;
    let service = Service::start(&data, &options()).await;
    let answer = service.post("/v1/erasures").json(&json!({ "site": "demo", "user_id": "x" })).send().await.expect("an answer");
    assert_eq!(answer.status(), 401);
    for (body, code) in
        [(json!({}), 400), (json!({ "site": "demo" }), 400), (json!({ "site": "demo", "user_id": "a", "anonymous_id": "b" }), 400)]
    {
        let (status, problem) = ask(&service, Method::POST, "/v1/erasures", Some(body)).await;
        assert_eq!((status, &problem["code"]), (code, &json!("request_wrong")), "{problem}");
    }
    let unknown = format!("/v1/erasures/{}?site=demo", Uuid::new_v4());
    assert_eq!(ask(&service, Method::GET, &unknown, None).await.0, 404);
    assert_eq!(ask(&service, Method::GET, "/v1/erasures/x", None).await.0, 400);
    assert_eq!(ask(&service, Method::DELETE, "/v1/erasures", None).await.0, 405);
    assert_eq!(ask(&service, Method::GET, "/v1/users/x/export", None).await.0, 400);
    service.terminate().await;
}

fn percent(text: &str) -> String {
    text.bytes().map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
}
