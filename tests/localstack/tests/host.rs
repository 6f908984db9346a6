//! The service beside the stack: LocalStack reads no Kafka for functions, so a host does (`ReadKafka=false`).

use std::{fs::File, path::Path, process::Stdio, time::Duration};

use reqwest::Client;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// Longest start on a busy machine.
const START: Duration = Duration::from_mins(2);

/// A host on the stack's log, bucket and ClickHouse; killed when dropped.
pub struct Host {
    url: String,
    client: Client,
    _child: Child,
}

impl Host {
    /// Starts `program` on `data`, with `environment`.
    pub async fn start(program: &Path, data: &Path, environment: &[(&str, String)]) -> Self {
        std::fs::create_dir_all(data).expect("a folder for the host");
        let said = File::create(data.join("stderr")).expect("a file for stderr");
        let mut command = Command::new(program);
        command.arg("--data").arg(data).args(["up", "--listen", "127.0.0.1:0"]).envs(environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.stdout(Stdio::piped()).stderr(said).kill_on_drop(true).spawn().expect("the host starts");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await.expect("stdout can be read") {
                if let Some(url) = line.strip_prefix("ready ") {
                    return url.to_owned();
                }
            }
            panic!("the host ended: {}", std::fs::read_to_string(data.join("stderr")).unwrap_or_default())
        };
        let url = timeout(START, ready).await.expect("the host is ready in time");
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { url, client: Client::builder().no_proxy().build().expect("an HTTP client"), _child: child }
    }

    /// Where an event is, step by step; null where nothing knows it.
    pub async fn trace(&self, event_id: &str) -> Value {
        let answer = self.client.get(format!("{}/v1/events/{event_id}/trace?site=demo", self.url)).send().await.expect("the host answers");
        answer.json().await.unwrap_or(Value::Null)
    }
}
