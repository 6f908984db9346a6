//! What the checks ask of AWS's services, as plain HTTP: LocalStack looks at no signature.

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

/// LocalStack.
pub struct Aws {
    /// Its address, without a slash at the end.
    pub endpoint: String,
    /// The stack's bucket.
    pub bucket: String,
    client: Client,
}

impl Aws {
    /// LocalStack at `endpoint`.
    pub fn new(endpoint: String, bucket: &str) -> Self {
        Self { endpoint, bucket: bucket.to_owned(), client: Client::builder().no_proxy().build().expect("an HTTP client") }
    }

    /// The client of everything here.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Writes an object. `key` is written as an address: a space is `%20`.
    pub async fn put(&self, key: &str, body: impl Into<reqwest::Body>) {
        let put = self.client.put(format!("{}/{}/{key}", self.endpoint, self.bucket)).body(body).send().await;
        let answer = put.expect("LocalStack answers");
        assert!(answer.status().is_success(), "PUT {key}: {}", answer.status());
    }

    /// An object's bytes, if it is there.
    pub async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let answer = self.client.get(format!("{}/{}/{key}", self.endpoint, self.bucket)).send().await.expect("LocalStack answers");
        if answer.status() == StatusCode::NOT_FOUND {
            return None;
        }
        assert!(answer.status().is_success(), "GET {key}: {}", answer.status());
        Some(answer.bytes().await.expect("an object is read").to_vec())
    }

    /// The keys under `prefix`, up to 1,000.
    pub async fn keys(&self, prefix: &str) -> Vec<String> {
        let address = format!("{}/{}?list-type=2&prefix={prefix}", self.endpoint, self.bucket);
        let text = self.text(self.client.get(address).send().await).await;
        elements(&text, "Key")
    }

    /// What the bucket says of itself, such as `notification`, as XML.
    pub async fn configuration(&self, what: &str) -> String {
        self.text(self.client.get(format!("{}/{}?{what}", self.endpoint, self.bucket)).send().await).await
    }

    /// Invokes a function and waits for its answer; an error is what the function said.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Result<Value, Value> {
        let address = format!("{}/2015-03-31/functions/{function}/invocations", self.endpoint);
        let answer = self.client.post(address).json(payload).send().await.expect("LocalStack answers");
        let failed = answer.headers().contains_key("x-amz-function-error") || !answer.status().is_success();
        let said = answer.text().await.expect("an answer is read");
        let value = serde_json::from_str(&said).unwrap_or(Value::String(said));
        if failed { Err(value) } else { Ok(value) }
    }

    /// The functions of the account, as Lambda lists them.
    pub async fn functions(&self) -> Vec<Value> {
        let text = self.text(self.client.get(format!("{}/2015-03-31/functions/", self.endpoint)).send().await).await;
        let listed: Value = serde_json::from_str(&text).expect("a listing is JSON");
        listed["Functions"].as_array().cloned().unwrap_or_default()
    }

    /// The next message of a queue, if there is one; it is taken from the queue.
    pub async fn receive(&self, queue: &str) -> Option<Value> {
        let received = self.sqs("ReceiveMessage", json!({ "QueueUrl": queue, "WaitTimeSeconds": 0 })).await;
        let message = received["Messages"].as_array()?.first()?;
        self.sqs("DeleteMessage", json!({ "QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"] })).await;
        Some(serde_json::from_str(message["Body"].as_str()?).expect("a dead letter is JSON"))
    }

    async fn sqs(&self, action: &str, request: Value) -> Value {
        let post = self.client.post(format!("{}/", self.endpoint)).header("x-amz-target", format!("AmazonSQS.{action}"));
        let sent = post.header("content-type", "application/x-amz-json-1.0").body(request.to_string()).send().await;
        let text = self.text(sent).await;
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("SQS answers JSON") }
    }

    async fn text(&self, sent: Result<Response, reqwest::Error>) -> String {
        let answer = sent.expect("LocalStack answers");
        let (status, text) = (answer.status(), answer.text().await.expect("an answer is read"));
        assert!(status.is_success(), "{status}: {text}");
        text
    }
}

/// The texts of the elements `name` of an XML document that has none inside another.
pub fn elements(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let after = xml.split(&open).skip(1);
    after.filter_map(|rest| Some(rest.split_once(&close)?.0.to_owned())).collect()
}
