//! A real Cassandra for tests: a keyspace of its own on the one that runs, or an instance of its own.
#![expect(clippy::unwrap_used, reason = "tests")]
#![allow(dead_code, reason = "each test uses a part")]

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use clickstream_store::{
    Retention,
    scylla::{ScyllaConfig, ScyllaStore, migrate},
};
use uuid::Uuid;

/// Samples are old: they are kept for as long as can be asked.
pub const LONGEST: Retention = Retention { event_days: Retention::LONGEST_DAYS, rejection_days: Retention::LONGEST_DAYS };

/// A folder for an instance, on the disk that the build is on.
pub fn folder() -> tempfile::TempDir {
    let target = root().join("target");
    std::fs::create_dir_all(&target).unwrap();
    tempfile::tempdir_in(target).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `host:port` of `SCYLLA_URL`, or of `STORE_URL` in `target/servers.env`.
pub fn contact_point() -> String {
    let file = root().join("target/servers.env");
    let url = std::env::var("SCYLLA_URL").ok().or_else(|| {
        let text = std::fs::read_to_string(&file).ok()?;
        text.lines().find_map(|line| line.strip_prefix("STORE_URL=")).map(str::to_owned)
    });
    let missing = "these tests need a running Cassandra: `make servers` starts one, or SCYLLA_URL=scylla://HOST:PORT names one";
    let url = url.unwrap_or_else(|| panic!("{missing}; neither SCYLLA_URL nor {} is there", file.display()));
    let place = url.strip_prefix("scylla://").unwrap_or_else(|| panic!("{missing}; {url:?} begins with no scylla://"));
    place.split(['/', '?']).next().unwrap().to_owned()
}

/// A keyspace name that nothing else uses.
pub fn unique() -> String {
    format!("test_{}", Uuid::new_v4().simple())
}

/// The settings of a new keyspace on the running Cassandra, migrated.
pub async fn keyspace() -> ScyllaConfig {
    let config = ScyllaConfig::new(vec![contact_point()], &unique());
    migrate(&config).await.unwrap();
    config
}

/// Removes the keyspace.
pub async fn remove(config: &ScyllaConfig) {
    execute(config, &format!("DROP KEYSPACE {}", config.keyspace)).await;
}

/// Executes a statement by the bare driver.
pub async fn execute(config: &ScyllaConfig, statement: &str) {
    let mut builder = scylla::client::session_builder::SessionBuilder::new().known_nodes(&config.contact_points);
    if let Some((user, password)) = &config.credentials {
        builder = builder.user(user, password);
    }
    builder.build().await.unwrap().query_unpaged(statement, ()).await.unwrap();
}

/// A store on `config` that keeps for as long as can be asked.
pub async fn connect(config: &ScyllaConfig) -> ScyllaStore {
    ScyllaStore::connect(config, LONGEST).await.unwrap()
}

/// A Cassandra that a test may kill, by `servers/start.sh` (`SERVERS` names another folder of the scripts).
pub struct Instance {
    folder: tempfile::TempDir,
    settings: Vec<String>,
}

impl Instance {
    /// One as the scripts set it up.
    pub fn start() -> Self {
        let instance = Self { folder: folder(), settings: Vec::new() };
        instance.launch();
        instance
    }

    /// One on `folder` with further lines of its configuration, `name=value`.
    pub fn start_with(folder: tempfile::TempDir, settings: Vec<String>) -> Self {
        let instance = Self { folder, settings };
        instance.launch();
        instance
    }

    fn script(&self, name: &str, arguments: &[&str]) {
        let folder = std::env::var("SERVERS").map_or_else(|_| root().join("servers"), PathBuf::from);
        let script = folder.join(name);
        assert!(script.exists(), "{} starts real servers, and is missing: set SERVERS to its folder", script.display());
        let output = Command::new(&script).args(arguments).arg("--data").arg(self.data()).output().unwrap();
        assert!(output.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&output.stderr));
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it, on the same port as before.
    pub fn launch(&self) {
        let settings = self.settings.iter().flat_map(|setting| ["--set", setting]);
        self.script("start.sh", &["cassandra", "--memory", "256"].into_iter().chain(settings).collect::<Vec<_>>());
    }

    /// Stops it cleanly, everything on disk.
    pub fn stop(&self) {
        self.script("stop.sh", &[]);
    }

    pub fn config(&self) -> ScyllaConfig {
        let facts = std::fs::read_to_string(self.data().join("server.env")).unwrap();
        let port = facts.lines().find_map(|line| line.strip_prefix("port=")).unwrap();
        ScyllaConfig::new(vec![format!("127.0.0.1:{port}")], "clickstream")
    }

    /// Sends `signal` (KILL, STOP, CONT) to the process of this instance.
    pub fn signal(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.data().join("pid")).unwrap();
        assert!(Command::new("kill").args([&format!("-{signal}"), pid.trim()]).status().unwrap().success());
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // Its process is not there if the test has stopped it.
        if self.data().join("pid").exists() {
            self.signal("KILL");
        }
    }
}

/// Waits until `done`; panics after `deadline`.
pub async fn eventually<F: Future<Output = bool>>(deadline: Duration, what: &str, mut done: impl FnMut() -> F) {
    let end = Instant::now() + deadline;
    while !done().await {
        assert!(Instant::now() < end, "not within {deadline:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
