//! Requests that carry secrets through every path, well and badly made.

use std::time::Duration;

use clickstream_e2e::{Service, eventually};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

/// What nobody may read in a log.
pub struct Secrets {
    /// The write key of the site.
    pub key: &'static str,
    /// The admin token.
    pub token: &'static str,
    /// A key and a token of nobody.
    pub wrong: &'static str,
    /// Part of every body.
    pub body: &'static str,
    /// The visitor, by `X-Forwarded-For`.
    pub address: &'static str,
}

impl Default for Secrets {
    fn default() -> Self {
        Self {
            key: "planted-key-3f81c2",
            token: "planted-token-77e0b95d",
            wrong: "planted-wrong-0c4d11",
            body: "planted-body-9a52e6",
            address: "93.184.216.34",
        }
    }
}

impl Secrets {
    /// Each with a word for it; the address also as the network that is kept of it.
    pub fn all(&self) -> [(&'static str, &'static str); 8] {
        [
            ("the write key", self.key),
            ("the admin token", self.token),
            ("a wrong key", self.wrong),
            ("a body", self.body),
            ("the visitor's address", self.address),
            ("the visitor's network", "93.184.216.0"),
            // `planted-key-3f81c2:` and `planted-wrong-0c4d11:` as Basic authorization has them.
            ("the write key in Base64", "cGxhbnRlZC1rZXktM2Y4MWMy"),
            ("a wrong key in Base64", "cGxhbnRlZC13cm9uZy0wYzRkMTE"),
        ]
    }
}

/// Sends, asks and changes in every way, and lets the service work it all off.
pub async fn everything(service: &Service, secrets: &Secrets) {
    for key in [secrets.key, secrets.wrong] {
        send_good(service, secrets, key).await;
        send_bad(service, secrets, key).await;
        pixels(service, secrets, key).await;
    }
    inbox(service, secrets).await;
    work_off(service, secrets).await;
    for token in [secrets.token, secrets.wrong] {
        ask(service, secrets, token).await;
    }
}

/// The request as a proxy hands it on for the visitor; its status.
async fn answered(request: RequestBuilder, secrets: &Secrets) -> u16 {
    request.header("x-forwarded-for", secrets.address).send().await.expect("an answer").status().as_u16()
}

fn event(secrets: &Secrets) -> Value {
    json!({
        "type": "track", "event": secrets.body, "messageId": secrets.body, "userId": secrets.body, "anonymousId": secrets.body,
        "context": { "ip": secrets.address, "page": { "url": format!("https://shop.example/{}?q={}", secrets.body, secrets.body) } },
        "properties": { "element_id": secrets.body, secrets.body: secrets.body },
    })
}

async fn send_good(service: &Service, secrets: &Secrets, key: &str) {
    let status = if key == secrets.key { 200 } else { 401 };
    for path in ["track", "page", "screen", "identify", "group", "alias", "t"] {
        let request = service.post(&format!("/v1/{path}?writeKey={key}")).json(&event(secrets));
        assert_eq!(answered(request, secrets).await, status, "{path}");
    }
    for path in ["batch", "b", "import"] {
        let batch = json!({ "batch": [event(secrets), { "type": secrets.body }, secrets.body] });
        assert_eq!(answered(service.post(&format!("/v1/{path}")).basic_auth(key, Some("")).json(&batch), secrets).await, status, "{path}");
        let batch = json!({ "writeKey": key, "batch": [event(secrets)] });
        assert_eq!(answered(service.post(&format!("/v1/{path}")).json(&batch), secrets).await, status, "{path}");
    }
    let ours = json!([{ "action": "click", "element_id": secrets.body, "user_id": secrets.body, "ip": secrets.address }, { "action": secrets.body }]);
    assert_eq!(answered(service.post(&format!("/v1/events?writeKey={key}")).json(&ours), secrets).await, status);
    let click = json!({ "id": secrets.body, "type": "CLICK", "userId": secrets.body, "payload": { "elementId": secrets.body } });
    assert_eq!(answered(service.post(&format!("/clicks?writeKey={key}")).json(&click), secrets).await, status);
}

async fn send_bad(service: &Service, secrets: &Secrets, key: &str) {
    let to = |path: &str| service.post(&format!("{path}?writeKey={key}"));
    let cut = format!("{{\"batch\":[{{\"event\":\"{}\"", secrets.body);
    let large = secrets.body.repeat(100_000);
    let (known, bad) = (key == secrets.key, if key == secrets.key { 400 } else { 401 });
    assert_eq!(answered(to("/v1/batch").body(cut.clone()).header("content-type", "application/json"), secrets).await, bad);
    assert_eq!(answered(to("/v1/batch").json(&json!({ "batch": secrets.body })), secrets).await, if known { 422 } else { 401 });
    assert_eq!(answered(to("/v1/batch").body(large), secrets).await, 413);
    assert_eq!(answered(to("/v1/batch").body(cut.clone()).header("content-encoding", "gzip"), secrets).await, bad);
    assert_eq!(
        answered(to("/v1/batch").body(cut.clone()).header("content-encoding", secrets.body), secrets).await,
        if known { 415 } else { 401 }
    );
    assert_eq!(
        answered(to("/v1/batch").body(cut.clone()).header("content-type", secrets.body), secrets).await,
        if known { 415 } else { 401 }
    );
    assert_eq!(answered(to("/v1/m").body(cut), secrets).await, 400);
    assert_eq!(answered(to(&format!("/v1/{}", secrets.body)).json(&event(secrets)), secrets).await, 404);
    assert_eq!(answered(service.get(&format!("/v1/batch?writeKey={key}&{}", secrets.body)), secrets).await, 405);
    assert_eq!(answered(service.get(&format!("/v1/batch?{}", secrets.body.repeat(1_000))), secrets).await, 414);
    let settings = service.get(&format!("/v1/projects/{key}/settings"));
    assert_eq!(answered(settings, secrets).await, if known { 200 } else { 404 });
}

async fn pixels(service: &Service, secrets: &Secrets, key: &str) {
    let body = secrets.body;
    for query in [format!("event={body}&userId={body}&properties.element_id={body}"), format!("data={body}"), format!("{body}=1&{body}=2")]
    {
        for format in ["gif", "204"] {
            let status = answered(service.get(&format!("/pixel/v1/track?writeKey={key}&{query}&format={format}")), secrets).await;
            assert!([200, 204, 400, 401].contains(&status), "{query}: {status}");
        }
    }
}

async fn inbox(service: &Service, secrets: &Secrets) {
    let line = |event: Value| format!("{event}\n");
    let good = json!({ "event_id": secrets.body, "action": "click", "element_id": secrets.body, "user_id": secrets.body, "original_at": "2026-11-24T10:00:00Z", "ip": secrets.address });
    let files = [
        ("good.ndjson", line(good) + &line(json!({ "action": secrets.body })) + secrets.body),
        ("bad.csv", format!("{},{}\n1,2\n", secrets.body, secrets.body)),
        ("bad.json.gz", secrets.body.to_owned()),
    ];
    for (name, body) in files {
        let path = format!("/v1/inbox/shop/{name}");
        assert_eq!(answered(service.put(&path).bearer_auth(secrets.token).body(body.clone()), secrets).await, 201, "{name}");
        assert_eq!(answered(service.put(&path).bearer_auth(secrets.wrong).body(body), secrets).await, 401, "{name}");
    }
}

/// Every step behind sees the events: `status` is the admin's, so it is asked for here.
async fn work_off(service: &Service, secrets: &Secrets) {
    eventually(Duration::from_mins(2), "every step has caught up", || async {
        let answer = service.get("/v1/status").bearer_auth(secrets.token).send().await.expect("an answer");
        let status: Value = answer.json().await.expect("JSON");
        let behind = status["steps"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|step| ["store", "land", "load", "intake-files"].map(Value::from).contains(&step["step"]) && step["lag"] != 0);
        if behind { Err(status.to_string()) } else { Ok(()) }
    })
    .await;
    for function in ["compact", "settle"] {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        assert_eq!(answered(service.post(&path).bearer_auth(secrets.token).json(&json!({})), secrets).await, 200, "{function}");
    }
}

async fn ask(service: &Service, secrets: &Secrets, token: &str) {
    let body = secrets.body;
    let wrong = token != secrets.token;
    let span = "from=2026-11-24&to=2026-12-01";
    for path in [
        format!("/v1/reports/elements?site=shop&{span}"),
        format!("/v1/reports/{body}?site={body}&from={body}"),
        format!("/v1/reports/heatmap?site=shop&path=/{body}&{span}"),
        format!("/v1/events/{body}/trace?site={body}"),
        format!("/v1/users/{body}/events?site=shop&cursor={body}"),
        format!("/v1/users/{body}/events?site=shop"),
        format!("/v1/rejections?site={body}"),
        format!("/v1/export?site={body}&{span}"),
        format!("/v1/export?site=shop&{span}&format={body}"),
        // Names of objects are logged.
        "/v1/receipts/shop/nothing".to_owned(),
        format!("/v1/{body}"),
        "/v1/status".to_owned(),
        "/metrics".to_owned(),
    ] {
        let status = answered(service.get(&path).bearer_auth(token), secrets).await;
        assert_eq!(status == 401, wrong, "{path}: {status}");
    }
    for (path, payload) in [
        ("/2015-03-31/functions/replay/invocations".to_owned(), json!({ "source": { "kind": "rejected" } })),
        ("/2015-03-31/functions/replay/invocations".to_owned(), json!({ "source": { "kind": body }, "site": body })),
        (format!("/2015-03-31/functions/{body}/invocations"), json!({ body: body })),
    ] {
        let status = answered(service.post(&path).bearer_auth(token).json(&payload), secrets).await;
        assert_eq!(status == 401, wrong, "{path}: {status}");
    }
    for request in [service.get(&format!("/{body}")), service.post(&format!("/{body}"))] {
        assert_eq!(answered(request.bearer_auth(token), secrets).await, 404);
    }
}
