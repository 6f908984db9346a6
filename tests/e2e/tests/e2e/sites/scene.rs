//! A service whose sites a file names.

use std::{fs, path::PathBuf};

use clickstream_e2e::{Service, StartOptions};
use reqwest::Response;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder for the sites file and the service's data.
pub struct Scene {
    folder: TempDir,
}

impl Scene {
    pub fn new(sites: &str) -> Self {
        let scene = Self { folder: tempfile::tempdir().expect("a folder") };
        scene.write(sites);
        scene
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("sites.toml")
    }

    /// Changes the file as an editor does, in place.
    pub fn write(&self, sites: &str) {
        fs::write(self.file(), sites).expect("the sites file can be written");
    }

    pub async fn start(&self) -> Service {
        self.start_with(&self.file().display().to_string(), &[]).await
    }

    pub async fn start_with(&self, sites_file: &str, environment: &[(&'static str, &str)]) -> Service {
        let mut environment: Vec<_> = environment.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        environment.push(("SITES_FILE", sites_file.to_owned()));
        Service::start(&self.folder.path().join("data"), &StartOptions { port: 0, environment }).await
    }
}

/// A custom event.
pub fn event(properties: &Value) -> Value {
    json!({
        "type": "track", "event": "order_completed", "anonymousId": "stored-by-the-client", "properties": properties,
        "context": { "device": { "type": "desktop" } }
    })
}

/// Sends events with a write key; no answer of the service ever sets a cookie.
pub async fn send(service: &Service, key: &str, events: &[Value]) -> Response {
    let answer = service.post("/v1/batch").json(&json!({ "writeKey": key, "batch": events })).send().await.expect("an answer");
    assert!(!answer.headers().contains_key("set-cookie"), "{answer:?}");
    answer
}

/// The status of one event's request.
pub async fn status(service: &Service, key: &str) -> u16 {
    send(service, key, &[event(&json!({}))]).await.status().as_u16()
}
