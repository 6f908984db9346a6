//! Everything that the checks run on: LocalStack, Kafka and ClickHouse beside it, the stack, a host.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use testcontainers::{
    ContainerAsync, GenericImage, ImageExt as _,
    core::{IntoContainerPort as _, Mount, WaitFor},
    runners::AsyncRunner as _,
};
use tokio::process::Command;

use crate::{aws::Aws, beside::Beside, host::Host};

/// Longest start of LocalStack.
const START: Duration = Duration::from_mins(3);
const BUCKET: &str = "clickstream";

/// A stack and what it stands on. [`Scene::end`] ends all of it.
pub struct Scene {
    /// AWS's services.
    pub aws: Aws,
    /// Reads the topics.
    pub host: Host,
    facts: HashMap<String, String>,
    container: ContainerAsync<GenericImage>,
    beside: Beside,
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn setting(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: `make localstack` runs these tests, on an engine and images that it makes"))
}

/// A program that the workspace builds.
pub fn program(name: &str) -> PathBuf {
    let program = root().join("target/release").join(name);
    assert!(program.exists(), "{} is not built: `make localstack` builds it", program.display());
    program
}

/// Runs a script of localstack/ and answers the facts that it prints, `NAME=VALUE` a line.
async fn script(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> HashMap<String, String> {
    let is_python = Path::new(name).extension().is_some_and(|extension| extension == "py");
    let mut command = if is_python { Command::new(root().join("target/aws/bin/python")) } else { Command::new("bash") };
    command.arg(root().join("localstack").join(name)).args(arguments).envs(environment.iter().copied());
    let output = command.stdin(Stdio::null()).output().await.expect("a script runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{name} {arguments:?} failed: {said}{}", String::from_utf8_lossy(&output.stderr));
    said.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

async fn localstack() -> (ContainerAsync<GenericImage>, String) {
    let image = setting("LOCALSTACK_IMAGE");
    let (name, tag) = image.rsplit_once(':').unwrap_or_else(|| panic!("LOCALSTACK_IMAGE={image} is wrong: NAME:TAG is right"));
    let socket = setting("DOCKER_HOST").trim_start_matches("unix://").to_owned();
    let mut request = GenericImage::new(name, tag)
        .with_exposed_port(4566.tcp())
        .with_wait_for(WaitFor::message_on_stdout("Ready."))
        .with_startup_timeout(START)
        .with_mount(Mount::bind_mount(socket, "/var/run/docker.sock"))
        .with_mount(Mount::bind_mount(
            root().join("localstack/start.d").canonicalize().expect("the repository").display().to_string(),
            "/etc/localstack/init/start.d",
        ))
        .with_env_var("LAMBDA_RUNTIME_IMAGE_MAPPING", format!(r#"{{"provided.al2023":"{}"}}"#, setting("RUNTIME_IMAGE")));
    let environment = std::fs::read_to_string(root().join("localstack/environment")).expect("localstack/environment");
    for (name, value) in environment.lines().filter_map(|line| line.split_once('=')) {
        request = request.with_env_var(name, value);
    }
    let container = request.start().await.expect("LocalStack starts");
    let port = container.get_host_port_ipv4(4566.tcp()).await.expect("LocalStack's port is published");
    (container, format!("http://127.0.0.1:{port}"))
}

impl Scene {
    /// Starts everything and deploys the stack.
    pub async fn start() -> Self {
        let beside = Beside::new();
        let start = ["start", beside.at()];
        let ((container, endpoint), mut facts) = tokio::join!(localstack(), script("beside.sh", &start, &[]));
        let aws = Aws::new(endpoint, BUCKET);
        let parameters =
            [format!("KafkaBrokers={}", facts["kafka_brokers"]), format!("LogId={}", facts["log_id"]), format!("BucketName={BUCKET}")];
        let packages = setting("PACKAGES");
        let arguments: Vec<&str> = std::iter::once(packages.as_str()).chain(parameters.iter().map(String::as_str)).collect();
        let environment = [("AWS_ENDPOINT_URL", aws.endpoint.as_str()), ("WAREHOUSE_URL", &facts["warehouse_url"])];
        let deployed = script("deploy.py", &arguments, &environment).await;
        let environment = [
            ("LOG_URL", facts["log_url"].clone()),
            ("OBJECTS_URL", format!("s3://{BUCKET}?endpoint={}", aws.endpoint)),
            ("WAREHOUSE_URL", facts["warehouse_url"].clone()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("SITES", "demo:demo".to_owned()),
            ("ERASURE_KEY", "localstack-erasure-key-of-32-characters".to_owned()),
            // The functions compact.
            ("COMPACT_INTERVAL", "86400".to_owned()),
        ];
        let host = Host::start(&program("clickstream"), &Path::new(beside.at()).join("host"), &environment).await;
        facts.extend(deployed);
        Self { aws, host, facts, container, beside }
    }

    /// A fact that the scripts of localstack/ told, such as `rest_api` or `queue_Load`.
    pub fn fact(&self, name: &str) -> &str {
        self.facts.get(name).unwrap_or_else(|| panic!("no fact {name} in {:?}", self.facts.keys()))
    }

    /// Stops Kafka, or starts it again on its port and its data.
    pub async fn kafka(&self, what: &str) {
        script("beside.sh", &["kafka", what, self.beside.at()], &[]).await;
    }

    /// Runs SQL in ClickHouse and answers its text.
    pub async fn clickhouse(&self, sql: &str) -> String {
        let url = self.fact("warehouse_url");
        let (address, database) = url.trim_end_matches("?compress=0").rsplit_once('/').expect("a database");
        let request = self.aws.client().post(format!("{address}/?database={database}")).body(sql.to_owned());
        let answer = request.send().await.expect("ClickHouse answers");
        let (status, text) = (answer.status(), answer.text().await.expect("an answer is read"));
        assert!(status.is_success(), "{sql}: {text}");
        text.trim().to_owned()
    }

    /// What LocalStack logged last, for whoever reads why a check failed.
    pub async fn explain(&self) {
        let logs = Command::new("docker").args(["logs", "--tail", "60", self.container.id()]).output().await.expect("docker logs");
        println!("the end of LocalStack's log:\n{}{}", String::from_utf8_lossy(&logs.stdout), String::from_utf8_lossy(&logs.stderr));
        let said = std::fs::read_to_string(Path::new(self.beside.at()).join("host/stderr")).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        println!("the end of the host's log:\n{}", lines[lines.len().saturating_sub(20)..].join("\n"));
    }

    /// Ends it all, with the functions' containers.
    pub async fn end(self) {
        drop(self.host);
        drop(self.beside);
        // As it stops, LocalStack removes the containers of its functions.
        self.container.stop().await.expect("LocalStack stops");
        self.container.rm().await.expect("its container goes");
    }
}
