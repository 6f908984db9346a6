//! What the Lambda reads from its environment, once.

use std::{env, path::PathBuf, sync::Arc};

use clickstream_event::{Site, Sites};
use clickstream_log::{EVENTS, Log, LogError, REJECTED, sqlite::SqliteLog};

use crate::{Collector, Limits};

/// A variable that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// The value is wrong.
    #[error("{name} is wrong: {right}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// What would be right.
        right: &'static str,
    },
    /// The log does not open.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// A collector on `LOG_URL` (`sqlite:FOLDER`) for `SITES` (`site:key,…`; default `demo:demo`).
pub async fn collector_from_env() -> Result<Collector, ContextError> {
    let wrong = ContextError::Variable { name: "LOG_URL", right: "sqlite:FOLDER names the folder of the log" };
    let folder = env::var("LOG_URL").ok().and_then(|url| url.strip_prefix("sqlite:").map(PathBuf::from)).ok_or(wrong)?;
    let log = SqliteLog::open(&folder)?;
    log.create_topic(EVENTS, 4).await?;
    log.create_topic(REJECTED, 1).await?;
    let sites = env::var("SITES").unwrap_or_else(|_| "demo:demo".to_owned());
    let sites = sites.split(',').map(|pair| pair.trim().split_once(':').map(|(site, key)| Site::new(site, key))).collect::<Option<Vec<_>>>();
    let sites = sites.ok_or(ContextError::Variable { name: "SITES", right: "pairs of site and write key such as shop:k3y,blog:0th3r" })?;
    Ok(Collector::new(Arc::new(log), Sites::new(sites), Limits::default()))
}
