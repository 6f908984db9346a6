//! What the running service says of itself.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use reqwest::{Client, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::batches::SITE;

/// Steps between the log and ClickHouse, as `/v1/status` names them.
const TO_WAREHOUSE: [&str; 2] = ["land", "load"];

/// A running service.
#[derive(Clone, Debug)]
pub struct Service {
    url: String,
    client: Client,
}

impl Service {
    /// The service that listens at `url`.
    pub fn at(url: &str) -> anyhow::Result<Self> {
        let client = Client::builder().no_proxy().timeout(Duration::from_mins(20)).build()?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), client })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        Ok(self.client.get(format!("{}{path}", self.url)).send().await?.error_for_status()?.json().await?)
    }

    /// True once reports show the event.
    pub async fn shows(&self, event: Uuid) -> anyhow::Result<bool> {
        let answer = self.client.get(format!("{}/v1/events/{event}/trace?site={SITE}", self.url)).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        let trace: Value = answer.error_for_status()?.json().await?;
        Ok(trace["warehouse"]["visible"] == true)
    }

    /// Events that the report `devices` counts on the days from yesterday to tomorrow.
    pub async fn reported(&self) -> anyhow::Result<u64> {
        let today = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        let (from, to) = (today.yesterday()?, today.tomorrow()?);
        let report: Value = self.get(&format!("/v1/reports/devices?site={SITE}&from={from}&to={to}")).await?;
        let rows = report["rows"].as_array().context("a report has rows")?;
        rows.iter().map(|row| row["events"].as_u64().context("a row of devices counts events")).sum()
    }

    /// Waits until every record is in ClickHouse; says how long that took.
    pub async fn caught_up(&self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        loop {
            let status: Value = self.get("/v1/status").await?;
            let steps = status["steps"].as_array().context("a status has steps")?;
            let behind = |step: &Value| TO_WAREHOUSE.iter().any(|name| step["step"] == *name) && step["lag"] != 0;
            if !steps.iter().any(behind) {
                return Ok(began.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Runs a function by Lambda's Invoke API; gives its result.
    pub async fn invoke(&self, function: &str) -> anyhow::Result<Value> {
        let path = format!("{}/2015-03-31/functions/{function}/invocations", self.url);
        let answer: Response = self.client.post(path).json(&json!({})).send().await?.error_for_status()?;
        let failed = answer.headers().contains_key("x-amz-function-error");
        let result: Value = answer.json().await?;
        anyhow::ensure!(!failed, "{function} failed: {result}");
        Ok(result)
    }
}
