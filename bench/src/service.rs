//! What the running service says of itself.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::batches::SITE;

/// Longest wait for how far the steps are.
const STATUS_WITHIN: Duration = Duration::from_secs(30);

/// An object is announced within this time.
const ANNOUNCED_WITHIN: Duration = Duration::from_mins(1);

/// How far one step is behind, as `/v1/status` says it.
#[derive(Debug, Deserialize)]
pub struct Step {
    /// The function.
    pub step: String,
    /// What it reads.
    pub reads: String,
    /// How much waits.
    pub lag: u64,
    /// Of what.
    pub unit: String,
    /// Age of the oldest that waits, s.
    pub oldest_s: Option<f64>,
}

#[derive(Deserialize)]
struct Status {
    steps: Vec<Step>,
}

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

    /// [`Service::reported`], as soon as it is `wanted`, or as it is after a minute: no step has anything to do, and the
    /// announcement of an object may still be on its way.
    pub async fn reported_until(&self, wanted: u64) -> anyhow::Result<u64> {
        let began = Instant::now();
        loop {
            let reported = self.reported().await?;
            if reported >= wanted || began.elapsed() > ANNOUNCED_WITHIN {
                return Ok(reported);
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// How far every step is behind, in the order of the pipeline.
    pub async fn steps(&self) -> anyhow::Result<Vec<Step>> {
        let request = self.client.get(format!("{}/v1/status", self.url)).timeout(STATUS_WITHIN);
        let status: Status = request.send().await?.error_for_status()?.json().await?;
        Ok(status.steps)
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
