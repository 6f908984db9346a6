//! What the Lambda reads from its environment, once.

use std::{env, sync::Arc};

use clickstream_log::LogError;
use clickstream_objects::s3::{S3Config, S3ConfigError, S3Objects};
use clickstream_sites::{LiveSites, SettingsError};
use ipnet::IpNet;

use crate::{Collector, Limits};

/// A variable that cannot be used, or a log that does not open.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// The variable is missing.
    #[error("{name} is not set: {right}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What would be right.
        right: &'static str,
    },
    /// The value is wrong.
    #[error("{name}={value:?} is wrong: {right}")]
    Wrong {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What would be right.
        right: &'static str,
    },
    /// `SITES` or `SITES_FILE` is wrong. Keys are public.
    #[error(transparent)]
    Sites(#[from] SettingsError),
    /// `OBJECTS_URL` is wrong.
    #[error(transparent)]
    Objects(#[from] S3ConfigError),
    /// The log does not open.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// A collector on `LOG_URL` (`sqlite:FOLDER` or `kafka://HOST:PORT`), behind `TRUSTED_PROXIES` (networks; none if not set), and its sites: those
/// of `SITES` (`site:key,…`), or those that `SITES_FILE` names; the demonstration's if neither is set. What the log does
/// not take goes to `OBJECTS_URL` (`s3://BUCKET`), where it is set.
pub async fn collector_from_env() -> Result<(Collector, LiveSites), ContextError> {
    let url = variable("LOG_URL").ok_or(ContextError::Missing { name: "LOG_URL", right: clickstream_log::URLS })?;
    let proxies = variable("TRUSTED_PROXIES").map_or_else(|| Ok(Vec::new()), networks)?;
    let bucket = variable("OBJECTS_URL").map(|url| S3Config::from_url(&url)).transpose()?;
    let log = clickstream_log::connect(&url).await?;
    let sites = LiveSites::from_env().await?;
    let collector = Collector::new(log, sites.sites(), Limits { trusted_proxies: proxies, ..Limits::default() });
    let collector = match bucket {
        Some(bucket) => collector.with_spill(Arc::new(S3Objects::new(bucket))),
        None => collector,
    };
    Ok((collector, sites))
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn networks(text: String) -> Result<Vec<IpNet>, ContextError> {
    let read: Option<Vec<IpNet>> = text.split(',').map(|network| network.trim().parse().ok()).collect();
    read.ok_or(ContextError::Wrong { name: "TRUSTED_PROXIES", value: text, right: "networks such as 10.0.0.0/8,192.168.1.1/32" })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_and_a_wrong_one_is_named() {
        assert_eq!(networks("10.0.0.0/8, 192.168.1.1/32".to_owned()).unwrap().len(), 2);
        let error = networks("10.0.0.1".to_owned()).unwrap_err().to_string();
        assert!(error.contains("TRUSTED_PROXIES") && error.contains("10.0.0.0/8"), "{error}");
    }
}
