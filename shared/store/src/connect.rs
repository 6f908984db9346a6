//! Which store a URL names.

use std::{path::Path, sync::Arc};

use crate::{
    Retention, SharedStore, StoreError,
    scylla::{ScyllaConfig, ScyllaStore},
    sqlite::SqliteStore,
};

/// Opens the event store that `url` (`STORE_URL`) names: `sqlite:FOLDER`, or
/// `scylla://HOST:PORT,HOST:PORT/KEYSPACE?OPTION=VALUE` (see [`ScyllaConfig::from_url`]) with the user and password of
/// `SCYLLA_USERNAME` and `SCYLLA_PASSWORD`.
///
/// What ScyllaDB keeps ends after `retention`; the embedded store forgets when it is told to.
///
/// # Errors
/// [`StoreError::Setting`] names the part of the URL that is wrong and what would be right.
pub async fn connect(url: &str, retention: Retention) -> Result<SharedStore, StoreError> {
    if url.starts_with("scylla:") {
        let config = ScyllaConfig::from_url(url)?.with_credentials_from_env()?;
        return Ok(Arc::new(ScyllaStore::connect(&config, retention).await?));
    }
    let Some(folder) = url.strip_prefix("sqlite:").filter(|f| !f.is_empty()) else {
        let right = "sqlite:FOLDER names the folder of the embedded event store, scylla://HOST:9042/KEYSPACE a keyspace of ScyllaDB";
        return Err(StoreError::Setting(format!("STORE_URL is wrong: {right}")));
    };
    let folder = Path::new(folder).to_owned();
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&folder)).await;
    let store = opened.map_err(|e| StoreError::Unavailable(format!("opening was cut off: {e}")))??;
    Ok(Arc::new(store))
}
