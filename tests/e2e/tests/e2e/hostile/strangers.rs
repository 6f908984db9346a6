//! Who may not: wrong keys, other sites, foreign pages, rebound names, no token.

use clickstream_e2e::{Service, StartOptions};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::problem::problem;

const TOKEN: &str = "a-token-of-many-characters";
const READS: [&str; 10] = [
    "/v1/status",
    "/v1/sites",
    "/v1/live",
    "/v1/rejections",
    "/v1/export?site=shop&from=2026-01-01&to=2026-01-01",
    "/v1/reports/elements?site=shop",
    "/v1/events/0190a6e0-7b2c-7d11-8a3e-5f6c2b1d4e90/trace",
    "/v1/users/u/events?site=shop",
    "/v1/receipts/shop/x",
    "/metrics",
];

async fn start(folder: &tempfile::TempDir, environment: &[(&'static str, &str)]) -> Service {
    let environment = environment.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Service::start(&folder.path().join("data"), &StartOptions { port: 0, environment }).await
}

async fn refused(request: RequestBuilder, status: u16, code: &str) {
    let about = format!("{request:?}");
    assert_eq!(problem(request.send().await.expect("an answer"), status, &about).await, code, "{about}");
}

fn click() -> Value {
    json!({ "type": "track", "event": "element_clicked", "anonymousId": "a", "properties": { "element_id": "e" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_writes_to_its_own_site_and_a_stranger_writes_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = start(&folder, &[("SITES", "shop:k3y,blog:0th3r")]).await;
    let batch = |key: &str| json!({ "writeKey": key, "batch": [click()] });
    refused(service.post("/v1/batch").json(&batch("wrong")), 401, "write_key_unknown").await;
    refused(service.post("/v1/batch").json(&batch("shop")), 401, "write_key_unknown").await;
    refused(service.post("/v1/batch").json(&json!({ "batch": [click()] })), 401, "write_key_missing").await;
    refused(service.post("/v1/batch").basic_auth("wrong", Some("")).json(&batch("k3y")), 401, "write_key_unknown").await;
    refused(service.post("/v1/batch?writeKey=k3").json(&batch("k3y")), 401, "write_key_unknown").await;

    // An event that names another site than its key's is not that site's.
    let event = json!({ "action": "click", "element_id": "stolen", "anonymous_id": "a", "site_id": "blog" });
    let answer = service.post("/v1/events?writeKey=k3y").json(&event).send().await.expect("an answer");
    let answer: Value = answer.json().await.expect("JSON");
    service.caught_up(&["store", "land", "load"]).await;
    let blog = service.json("/v1/reports/elements?site=blog").await;
    assert_eq!(blog["rows"], json!([]), "the key of shop wrote to blog: {answer}");
}

/// Every path that takes events, and one event in its shape.
const WRITES: [(&str, &str); 18] = [
    ("/v1/track", EVENT),
    ("/v1/page", EVENT),
    ("/v1/screen", EVENT),
    ("/v1/identify", EVENT),
    ("/v1/group", EVENT),
    ("/v1/alias", EVENT),
    ("/v1/t", EVENT),
    ("/v1/p", EVENT),
    ("/v1/s", EVENT),
    ("/v1/i", EVENT),
    ("/v1/g", EVENT),
    ("/v1/a", EVENT),
    ("/v1/batch", BATCH),
    ("/v1/b", BATCH),
    ("/v1/import", BATCH),
    ("/v1/events", r#"{"action":"custom","name":"n","user_id":"u"}"#),
    ("/clicks", r#"{"id":"1","type":"CLICK","userId":"u","payload":{"elementId":"e"}}"#),
    ("/v1/m", r#"{"series":7}"#),
];
const EVENT: &str = r#"{"event":"e","userId":"u"}"#;
const BATCH: &str = r#"{"batch":[{"type":"track","event":"e","userId":"u"}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn who_has_neither_key_nor_token_writes_nothing_by_any_path_and_reads_no_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = start(&folder, &[("ADMIN_TOKEN", TOKEN), ("SITES", "shop:k3y")]).await;
    let statuses = async |request: RequestBuilder| request.send().await.expect("an answer").status().as_u16();
    for (path, body) in WRITES {
        let post = |path: &str| service.post(path).header("content-type", "application/json").body(body);
        let wrong = if path == "/v1/m" { 422 } else { 401 };
        assert_eq!(statuses(post(path)).await, wrong, "{path}");
        for key in ["", "K3Y", "k3", "k3y%20", "shop", TOKEN, "*", "%00"] {
            assert_eq!(statuses(post(&format!("{path}?writeKey={key}"))).await, wrong, "{path} with {key:?}");
        }
        assert_eq!(statuses(post(path).bearer_auth(TOKEN)).await, wrong, "{path}: the token of who reads is no key");
        assert_eq!(statuses(post(path).basic_auth("", Some("k3y"))).await, wrong, "{path}: a password is no key");
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            let request = service.request(method.clone(), &format!("{path}?writeKey=k3y")).body(body);
            assert_eq!(statuses(request).await, 405, "{method} {path}");
        }
    }
    for kind in ["track", "page", "screen", "identify", "group", "alias"] {
        for key in ["", "&writeKey=K3Y", "&writeKey=shop"] {
            for folder in ["/pixel/v1", "/v1/pixel"] {
                let address = format!("{folder}/{kind}?event=e&userId=u&format=204{key}");
                assert_eq!(statuses(service.get(&address)).await, 401, "{address}");
            }
        }
    }
    for key in ["K3Y", "shop", TOKEN, "*"] {
        assert_eq!(statuses(service.get(&format!("/v1/projects/{key}/settings"))).await, 404, "settings of {key:?}");
    }
    // Who may send may not read.
    for path in READS {
        assert_eq!(statuses(service.get(path).bearer_auth("k3y")).await, 401, "{path}");
        assert_eq!(statuses(service.get(path).basic_auth("k3y", Some(""))).await, 401, "{path}");
    }
    let status = service.get("/v1/status").bearer_auth(TOKEN).send().await.expect("an answer");
    let status: Value = status.json().await.expect("JSON");
    assert_eq!(status["logged"], 0, "nothing was written: {status}");
    let rejections = service.get("/v1/rejections").bearer_auth(TOKEN).send().await.expect("an answer");
    let rejections: Value = rejections.json().await.expect("JSON");
    assert_eq!(rejections["rejections"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_this_machine_alone_reads_and_no_page_of_another_origin() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = start(&folder, &[]).await;
    for path in READS {
        refused(service.get(path).header("origin", "https://evil.example"), 403, "origin_refused").await;
        refused(service.get(path).header("origin", "null"), 403, "origin_refused").await;
        // A name of the attacker's that resolves to this machine.
        refused(service.get(path).header("host", "evil.example:8080"), 403, "host_refused").await;
    }
    let own = service.url.clone();
    let invoke = "/2015-03-31/functions/compact/invocations";
    for origin in ["https://evil.example", own.as_str()] {
        refused(service.post(invoke).header("origin", origin).json(&json!({})), 403, "origin_refused").await;
        refused(service.put("/v1/inbox/demo/x.ndjson").header("origin", origin).body("{}"), 403, "origin_refused").await;
    }
    refused(service.post(invoke).header("content-type", "text/plain").body("{}"), 415, "not_json").await;
    refused(service.post(invoke).header("host", "evil.example").json(&json!({})), 403, "host_refused").await;
    refused(service.post("/2015-03-31/functions/erase-everything/invocations").json(&json!({})), 404, "function_unknown").await;
    refused(service.post(invoke).header("content-type", "application/json").body("{"), 400, "not_json").await;
    refused(service.put("/v1/inbox/nobody/x.ndjson").body("{}"), 404, "site_unknown").await;
    for path in ["/v1/inbox/demo/..%2F..%2Fx.ndjson", "/v1/inbox/demo/", "/v1/inbox/demo"] {
        refused(service.put(path).body("{}"), 400, "path_wrong").await;
    }
    refused(service.get("/v1/nothing"), 404, "not_found").await;
    refused(service.get("/../../etc/passwd"), 404, "not_found").await;
    refused(service.get("/v1/receipts/..%2f..%2flog"), 404, "not_found").await;
    refused(service.post("/v1/status"), 405, "method_not_allowed").await;
    refused(service.get("/v1/batch"), 405, "method_not_allowed").await;
    refused(service.get("/v1/reports/elements?site=demo&from=2026-02-30"), 400, "parameter_wrong").await;
    refused(service.get("/v1/export?site=demo&from=2026-02-02&to=2026-01-01"), 400, "parameter_wrong").await;
    refused(service.get("/v1/events/no-id/trace"), 400, "parameter_wrong").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_token_nothing_is_read_or_changed_without_it_and_events_are_taken_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = start(&folder, &[("ADMIN_TOKEN", TOKEN), ("SITES", "shop:k3y")]).await;
    let changes = [(Method::POST, "/2015-03-31/functions/compact/invocations"), (Method::PUT, "/v1/inbox/shop/x.ndjson")];
    let mut asked: Vec<(Method, &str)> = READS.map(|path| (Method::GET, path)).to_vec();
    asked.extend(changes);
    for (method, path) in asked {
        let ask = || {
            if method == Method::GET {
                service.get(path)
            } else if method == Method::PUT {
                service.put(path)
            } else {
                service.post(path)
            }
        };
        refused(ask(), 401, "token_missing").await;
        refused(ask().bearer_auth("another-token-of-many-characters"), 401, "token_missing").await;
        refused(ask().bearer_auth(&TOKEN[..TOKEN.len() - 1]), 401, "token_missing").await;
        refused(ask().basic_auth(TOKEN, Some("")), 401, "token_missing").await;
        refused(ask().bearer_auth(TOKEN).header("origin", "https://evil.example"), 403, "origin_refused").await;
    }
    for path in ["/v1/status", "/metrics", "/v1/sites"] {
        let answer = service.get(path).bearer_auth(TOKEN).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        assert!(answer.headers().get("access-control-allow-origin").is_none(), "{path} is for no other origin");
    }
    let answer = service.post("/v1/batch").json(&json!({ "writeKey": "k3y", "batch": [click()] })).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{answer:?}");
    for path in ["/", "/health", "/ready", "/clickstream.js"] {
        assert!(service.get(path).send().await.expect("an answer").status().is_success(), "{path} is open");
    }
}
