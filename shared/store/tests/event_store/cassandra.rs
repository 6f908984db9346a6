//! A real Cassandra for tests: a keyspace of its own on the one that runs, or an instance of its own.

use std::time::{Duration, Instant};

use clickstream_store::{
    Retention,
    scylla::{ScyllaConfig, ScyllaStore, migrate},
};
use clickstream_testkit::servers::{self, Server};
use scylla::{
    client::{session::Session, session_builder::SessionBuilder},
    deserialize::row::DeserializeRow,
    serialize::row::SerializeRow,
};
use tempfile::TempDir;
use uuid::Uuid;

/// Samples are old: they are kept for as long as can be asked.
pub const LONGEST: Retention = Retention { event_days: Retention::LONGEST_DAYS, rejection_days: Retention::LONGEST_DAYS };

/// `host:port` of `SCYLLA_URL`, or of `STORE_URL` in `target/servers.env`.
pub fn contact_point() -> String {
    let url = servers::running("SCYLLA_URL", "STORE_URL");
    let place = url.strip_prefix("scylla://").unwrap_or_else(|| panic!("SCYLLA_URL: {url:?} begins with no scylla://"));
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
    bare(config).await.query_unpaged(statement, ()).await.unwrap();
}

/// The one row that a question has, by the bare driver.
pub async fn row<T>(config: &ScyllaConfig, query: &str, values: impl SerializeRow) -> T
where
    T: for<'frame, 'metadata> DeserializeRow<'frame, 'metadata>,
{
    let result = bare(config).await.query_unpaged(query, values).await.unwrap().into_rows_result().unwrap();
    result.single_row().unwrap()
}

async fn bare(config: &ScyllaConfig) -> Session {
    let mut builder = SessionBuilder::new().known_nodes(&config.contact_points);
    if let Some((user, password)) = &config.credentials {
        builder = builder.user(user, password);
    }
    builder.build().await.unwrap()
}

/// A store on `config` that keeps for as long as can be asked.
pub async fn connect(config: &ScyllaConfig) -> ScyllaStore {
    ScyllaStore::connect(config, LONGEST).await.unwrap()
}

/// A Cassandra that a test may kill, on `folder`, with further lines of its configuration, `name=value`.
pub fn start_on(folder: TempDir, settings: &[&str]) -> Server {
    Server::start_on(folder, "cassandra", settings)
}

/// What reaches `server`.
pub fn config(server: &Server) -> ScyllaConfig {
    ScyllaConfig::new(vec![format!("127.0.0.1:{}", server.fact("port"))], "clickstream")
}

/// Waits until `done`; panics after `deadline`.
pub async fn eventually<F: Future<Output = bool>>(deadline: Duration, what: &str, mut done: impl FnMut() -> F) {
    let end = Instant::now() + deadline;
    while !done().await {
        assert!(Instant::now() < end, "not within {deadline:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
