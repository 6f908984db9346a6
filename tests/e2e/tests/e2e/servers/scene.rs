//! The service on servers of its own.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use clickstream_e2e::{ClickHouse, Output, Service, StartOptions, command, eventually, output};
use clickstream_testkit::servers::{self, Server};
use reqwest::Client;
use tempfile::TempDir;
use uuid::Uuid;

use super::{
    load::{self, BATCH, Load},
    proxy::Proxy,
};
use crate::clicks::{batch, days};

/// What `MinIO` shows when it announces an object.
pub const TOKEN: &str = "announcements-of-the-bucket";
/// Longest time until what a fault held up has passed every step.
pub const CAUGHT_UP: Duration = Duration::from_mins(4);

/// What a scene may have besides the usual.
#[derive(Default)]
pub struct Props {
    /// `MinIO`'s folder.
    pub minio: Option<TempDir>,
    /// The bucket is reached through [`Scene::proxy`].
    pub proxy: bool,
    /// ClickHouse is [`Scene::clickhouse`] and not embedded.
    pub clickhouse: bool,
    /// Variables of the service.
    pub environment: Vec<(&'static str, String)>,
}

/// Servers, and the service that runs on them.
pub struct Scene {
    pub kafka: Server,
    pub cassandra: Server,
    pub minio: Server,
    pub proxy: Option<Proxy>,
    pub clickhouse: Option<ClickHouse>,
    pub service: Service,
    /// Ids of events that were acknowledged.
    pub acknowledged: BTreeSet<Uuid>,
    /// The service's data folder.
    pub data: PathBuf,
    /// How the service is started.
    pub options: StartOptions,
    _folder: TempDir,
}

impl Scene {
    /// Starts servers, sets them up, and starts the service.
    pub async fn new() -> Self {
        Self::with(Props::default()).await
    }

    /// The same, with `props`.
    pub async fn with(props: Props) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let port = free_port();
        // Kept by MinIO until they are delivered.
        let webhook = [
            "MINIO_NOTIFY_WEBHOOK_ENABLE_H1=on".to_owned(),
            format!("MINIO_NOTIFY_WEBHOOK_ENDPOINT_H1=http://127.0.0.1:{port}/v1/notifications"),
            format!("MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_H1=Bearer {TOKEN}"),
            format!("MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_H1={}", path("announcements").display()),
            // Nobody is there, and nothing is kept.
            "MINIO_NOTIFY_WEBHOOK_ENABLE_H2=on".to_owned(),
            "MINIO_NOTIFY_WEBHOOK_ENDPOINT_H2=http://127.0.0.1:9".to_owned(),
        ];
        let kafka = Server::start("kafka", &[]);
        let cassandra = Server::start("cassandra", &[]);
        let minio = props.minio.unwrap_or_else(servers::folder);
        let minio = Server::start_on(minio, "minio", &webhook.each_ref().map(String::as_str));
        let proxy = if props.proxy { Some(Proxy::start(&minio.fact("url")).await) } else { None };
        let bucket_at = proxy.as_ref().map_or_else(|| minio.fact("url"), |proxy| proxy.url.clone());
        let clickhouse = if props.clickhouse { Some(ClickHouse::start(&path("clickhouse")).await) } else { None };
        let mut environment = vec![
            ("LOG_URL", kafka.fact("url")),
            ("STORE_URL", format!("{}/clickstream", cassandra.fact("url"))),
            ("OBJECTS_URL", format!("s3://{}?endpoint={bucket_at}", minio.fact("bucket"))),
            ("AWS_ACCESS_KEY_ID", minio.fact("access_key")),
            ("AWS_SECRET_ACCESS_KEY", minio.fact("secret_key")),
            ("NOTIFICATIONS_ARN", "arn:minio:sqs::H1:webhook".to_owned()),
            ("NOTIFICATIONS_TOKEN", TOKEN.to_owned()),
            ("COMPACT_INTERVAL", "86400".to_owned()),
        ];
        environment.extend(clickhouse.iter().map(|clickhouse| ("WAREHOUSE_URL", clickhouse.url())));
        environment.extend(props.environment);
        let (data, options) = (path("data"), StartOptions { port, environment });
        setup(&data, &options).await.expect_success();
        let service = Service::start(&data, &options).await;
        let acknowledged = BTreeSet::new();
        Self { kafka, cassandra, minio, proxy, clickhouse, service, acknowledged, data, options, _folder: folder }
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
        let (client, mut spilled) = (Client::builder().no_proxy().build().expect("an HTTP client"), 0);
        for _ in 0..requests {
            let (ids, batch) = batch(BATCH);
            let in_bucket = load::send(&client, &self.service.url, &batch).await.expect("it is acknowledged");
            self.acknowledged.extend(ids);
            spilled += usize::from(in_bucket);
        }
        spilled
    }

    /// Has events come from now on.
    pub fn load(&self) -> Load {
        Load::start(&self.service.url)
    }

    /// The sum of the metrics that begin with `name`, labels included.
    pub async fn metric(&self, name: &str) -> f64 {
        let answer = self.service.get("/metrics").send().await.expect("an answer");
        let text = answer.text().await.expect("a text");
        let values = text.lines().filter(|line| line.starts_with(name)).filter_map(|line| line.rsplit(' ').next());
        values.map(|value| value.parse::<f64>().expect("a number")).sum()
    }

    /// Waits until the step of the consumer group `group` fails, from now on.
    pub async fn fails(&self, group: &str) {
        let failures = format!("clickstream_batch_failures_total{{group=\"{group}\"}}");
        let before = self.metric(&failures).await;
        eventually(CAUGHT_UP, &format!("{group} fails"), || async {
            if self.metric(&failures).await > before { Ok(()) } else { Err("it does not".to_owned()) }
        })
        .await;
    }

    /// Waits until nothing waits at any step before compaction.
    pub async fn caught_up(&self) {
        self.service.caught_up_within(CAUGHT_UP, |step| step != "compact" && step != "settle").await;
    }

    /// Exactly what was acknowledged is exported, each event once: before it is settled, and after. And it is stored.
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
        for id in self.acknowledged.iter().step_by(97) {
            let trace = self.service.json(&format!("/v1/events/{id}/trace")).await;
            assert_eq!(trace["store"]["stored"], true, "{trace}");
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

/// A port that stays free while others connect: below those that the kernel gives to clients.
fn free_port() -> u16 {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../servers/ports.py");
    let said = std::process::Command::new(script).args(["free", "1"]).output().expect("ports.py runs");
    String::from_utf8_lossy(&said.stdout).trim().parse().expect("a port")
}
