//! A running service, as the other commands talk to it.

use std::path::Path;

use anyhow::{Context, bail};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::{Deserialize, Serialize};

use crate::cli::Cli;

/// What `up` writes into the data folder while it runs.
#[derive(Debug, Serialize, Deserialize)]
pub struct ServiceFile {
    /// Where it listens.
    pub url: String,
    /// Its process.
    pub pid: u32,
}

impl ServiceFile {
    /// Its name within the data folder.
    pub const NAME: &str = "service.json";

    /// Reads the file that a running service left in `data`.
    pub fn read(data: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(data.join(Self::NAME)).ok()?).ok()
    }
}

/// A running service.
pub struct Service {
    /// Its address without a slash at the end.
    pub url: String,
    token: Option<String>,
    client: reqwest::Client,
}

impl Service {
    /// The service that `--url` names, else the one that runs on the data folder, else the default address.
    pub fn find(cli: &Cli) -> anyhow::Result<Self> {
        let url =
            cli.url.clone().or_else(|| ServiceFile::read(&cli.data).map(|f| f.url)).unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            token: std::env::var("ADMIN_TOKEN").ok().filter(|t| !t.is_empty()),
            client: reqwest::Client::builder().no_proxy().build().context("no HTTP client")?,
        })
    }

    /// Whether it takes requests.
    pub async fn ready(&self) -> anyhow::Result<()> {
        self.send(self.get("/ready")).await.map(drop)
    }

    /// A GET of `path`.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.authorize(self.client.get(format!("{}{path}", self.url)))
    }

    /// A POST to `path`.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.authorize(self.client.post(format!("{}{path}", self.url)))
    }

    /// A PUT to `path`.
    pub fn put(&self, path: &str) -> RequestBuilder {
        self.authorize(self.client.put(format!("{}{path}", self.url)))
    }

    fn authorize(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends and turns every failure into a sentence that says what to do.
    pub async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                bail!("no service answers at {}: start one with `clickstream up`, or name it with --url", self.url)
            }
            Err(error) => return Err(error).context("the service did not answer"),
        };
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.unwrap_or_default();
        let problem: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or(&text);
        if status == StatusCode::UNAUTHORIZED && problem["code"] == "token_missing" {
            bail!("the service wants a token: set ADMIN_TOKEN to the one it was started with");
        }
        bail!("{status}: {detail}")
    }
}
