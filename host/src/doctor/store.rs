//! The event store on `ScyllaDB` or Cassandra.

use clickstream_store::{
    EventStore as _, Retention, StoreError,
    scylla::{Inspection, ScyllaConfig, ScyllaStore, inspect, try_write},
};
use uuid::Uuid;

use super::{Finding, clock};
use crate::config::without_password;

/// The part.
pub const PART: &str = "store";

const SETUP: &str = "`clickstream setup`, with a user of STORE_URL that may make tables";

/// Looks at the keyspace that `url` names.
pub async fn examine(url: &str, findings: &mut Vec<Finding>) {
    let config = match ScyllaConfig::from_url(url).and_then(ScyllaConfig::with_credentials_from_env) {
        Ok(config) => config,
        Err(error) => return findings.push(Finding::broken(PART, "STORE_URL", error.to_string(), "correct STORE_URL")),
    };
    let place = without_password(url);
    let found = match inspect(&config).await {
        Ok(found) => found,
        Err(error) => {
            let mend = "start the nodes, or correct the addresses in STORE_URL; meanwhile events wait in the log";
            return findings.push(Finding::broken(PART, "reachable", format!("{place}: {error}"), mend));
        }
    };
    let nodes = if found.nodes.len() == 1 { "1 node".to_owned() } else { format!("{} nodes", found.nodes.len()) };
    findings.push(Finding::ok(PART, "reachable", format!("{place}: {} {}, {nodes}", found.kind, found.version)));
    findings.push(tables(&config, &found).await);
    findings.extend(copies(&found));
    if found.replication.is_some() && found.missing.is_empty() {
        findings.push(rights(&config).await);
    }
    findings.push(clock::judge(PART, found.ahead));
}

async fn tables(config: &ScyllaConfig, found: &Inspection) -> Finding {
    let keyspace = &config.keyspace;
    if found.replication.is_none() {
        return Finding::broken(PART, "tables", format!("there is no keyspace {keyspace}"), SETUP);
    }
    if !found.missing.is_empty() {
        return Finding::broken(PART, "tables", format!("keyspace {keyspace} lacks those of {}", found.missing.join(", ")), SETUP);
    }
    // It refuses what was changed after it was migrated.
    match ScyllaStore::connect(config, Retention::default()).await {
        Ok(_) => Finding::ok(PART, "tables", format!("keyspace {keyspace} has all {} migrations", found.migrations.len())),
        Err(error) => Finding::broken(PART, "tables", error.to_string(), "as it says"),
    }
}

fn copies(found: &Inspection) -> Option<Finding> {
    let copies = found.fewest_copies()?;
    let losing = found.losing();
    if losing.is_empty() {
        let mut syncs: Vec<&str> = found.nodes.iter().filter_map(|node| node.commitlog_sync.as_deref()).collect();
        syncs.sort_unstable();
        syncs.dedup();
        let sync = if syncs.is_empty() { "not told".to_owned() } else { syncs.join(", ") };
        return Some(Finding::ok(PART, "copies", format!("{copies} of each row, commitlog_sync: {sync}")));
    }
    let text = format!("{copies} of each row, and commitlog_sync is periodic on {}: kill -9 loses acknowledged rows", losing.join(", "));
    Some(Finding::warning(PART, "copies", text, "commitlog_sync: group or batch in cassandra.yaml, or three copies (ALTER KEYSPACE)"))
}

async fn rights(config: &ScyllaConfig) -> Finding {
    let tried = async {
        ScyllaStore::connect(config, Retention::default()).await?.find(None, Uuid::new_v4()).await?;
        try_write(config).await
    };
    match tried.await {
        Ok(()) => Finding::ok(PART, "write and read", "both are allowed"),
        Err(error @ StoreError::Unavailable(_)) => {
            Finding::broken(PART, "write and read", error.to_string(), "start as many nodes as the consistency of STORE_URL asks for")
        }
        Err(error) => {
            let mend = format!("GRANT SELECT and MODIFY ON KEYSPACE {} to the user of SCYLLA_USERNAME", config.keyspace);
            Finding::broken(PART, "write and read", error.to_string(), mend)
        }
    }
}
