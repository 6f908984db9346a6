//! The service on servers of its own.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    path::{Path, PathBuf},
    time::Duration,
};

use clickstream_e2e::{Output, Service, StartOptions, command, eventually, output};
use clickstream_testkit::servers::Server;
use serde_json::Value;
use uuid::Uuid;

use crate::clicks::{batch, days};

/// What `MinIO` shows when it announces an object.
const TOKEN: &str = "announcements-of-the-bucket";
/// Longest time until what a fault held up has passed every step.
pub const CAUGHT_UP: Duration = Duration::from_mins(4);

/// Servers, and the service that runs on them.
pub struct Scene {
    pub kafka: Server,
    pub cassandra: Server,
    pub minio: Server,
    pub service: Service,
    /// Ids of events that were acknowledged.
    pub acknowledged: BTreeSet<Uuid>,
    data: PathBuf,
    options: StartOptions,
    _folder: tempfile::TempDir,
}

impl Scene {
    /// Starts servers, sets them up, and starts the service.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let port = free_port();
        // Kept by MinIO until they are delivered.
        let webhook = [
            "MINIO_NOTIFY_WEBHOOK_ENABLE_H1=on".to_owned(),
            format!("MINIO_NOTIFY_WEBHOOK_ENDPOINT_H1=http://127.0.0.1:{port}/v1/notifications"),
            format!("MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_H1=Bearer {TOKEN}"),
            format!("MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_H1={}", path("announcements").display()),
        ];
        let kafka = Server::start("kafka", &[]);
        let cassandra = Server::start("cassandra", &[]);
        let minio = Server::start("minio", &webhook.each_ref().map(String::as_str));
        let environment = vec![
            ("LOG_URL", kafka.fact("url")),
            ("STORE_URL", format!("{}/clickstream", cassandra.fact("url"))),
            ("OBJECTS_URL", format!("s3://{}?endpoint={}", minio.fact("bucket"), minio.fact("url"))),
            ("AWS_ACCESS_KEY_ID", minio.fact("access_key")),
            ("AWS_SECRET_ACCESS_KEY", minio.fact("secret_key")),
            ("NOTIFICATIONS_ARN", "arn:minio:sqs::H1:webhook".to_owned()),
            ("NOTIFICATIONS_TOKEN", TOKEN.to_owned()),
            ("COMPACT_INTERVAL", "86400".to_owned()),
        ];
        let (data, options) = (path("data"), StartOptions { port, environment });
        setup(&data, &options).await.expect_success();
        let service = Service::start(&data, &options).await;
        Self { kafka, cassandra, minio, service, acknowledged: BTreeSet::new(), data, options, _folder: folder }
    }

    /// `clickstream setup` once more.
    pub async fn setup(&self) -> Output {
        setup(&self.data, &self.options).await
    }

    /// A command on the servers, with other values of some variables.
    pub async fn command(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        on_servers(&self.data, &self.options, arguments, environment).await
    }

    /// Starts the service again after it was ended.
    pub async fn start(&mut self) {
        self.service = Service::start(&self.data, &self.options).await;
    }

    /// Ends the service as a power cut would, and starts it again.
    pub async fn restart(mut self) -> Self {
        self.service.kill().await;
        self.service = Service::start(&self.data, &self.options).await;
        self
    }

    /// Sends requests of twenty clicks, one after the other, and each must be acknowledged. Says how many were kept in the
    /// bucket instead of the log.
    pub async fn send(&mut self, requests: usize) -> usize {
        let mut spilled = 0;
        for _ in 0..requests {
            let (ids, batch) = batch(20);
            let answer = self.service.post("/v1/batch").json(&batch).send().await.expect("an answer");
            let status = answer.status().as_u16();
            let in_bucket = answer.headers().contains_key("x-clickstream-spilled");
            let text = answer.text().await.expect("a text");
            assert_eq!(status, 200, "{text}");
            let body: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(body["results"].as_array().map(Vec::len), Some(ids.len()));
            self.acknowledged.extend(ids);
            spilled += usize::from(in_bucket);
        }
        spilled
    }

    /// Waits until nothing waits at any step before compaction.
    pub async fn caught_up(&self) {
        eventually(CAUGHT_UP, "every step has caught up", || async {
            let answer = self.service.get("/v1/status").send().await.map_err(|e| e.to_string())?;
            let status: Value = answer.json().await.map_err(|e| e.to_string())?;
            let steps = status["steps"].as_array().ok_or_else(|| status.to_string())?;
            let before = |step: &&Value| step["step"] != "compact" && step["step"] != "settle";
            let behind: Vec<_> = steps.iter().filter(before).filter(|step| step["lag"] != 0).map(ToString::to_string).collect();
            if behind.is_empty() { Ok(()) } else { Err(behind.join(", ")) }
        })
        .await;
    }

    /// Exactly what was acknowledged is exported, each event once: before it is settled, and after.
    pub async fn counts_are_right(&self) {
        for settled in [false, true] {
            if settled {
                self.service.settle_everything().await;
            }
            let (from, to) = days();
            let exported = eventually(CAUGHT_UP, "everything is visible", || async {
                let exported = self.service.exported(&from, &to).await;
                let missing = self.acknowledged.iter().filter(|id| !exported.contains_key(id)).count();
                if missing == 0 { Ok(exported) } else { Err(format!("{missing} of {} are missing", self.acknowledged.len())) }
            })
            .await;
            assert!(exported.values().all(|count| *count == 1), "an event is counted twice (settled: {settled})");
            assert_eq!(exported.len(), self.acknowledged.len(), "settled: {settled}");
        }
    }
}

async fn setup(data: &Path, options: &StartOptions) -> Output {
    on_servers(data, options, &["setup"], &[]).await
}

async fn on_servers(data: &Path, options: &StartOptions, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = command(data);
    command.args(arguments).envs(options.environment.iter().map(|(name, value)| (name, value))).envs(environment.iter().copied());
    output(command).await
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
