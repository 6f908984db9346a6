//! Connections to the cluster.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use scylla::{
    client::{Compression, execution_profile::ExecutionProfile, session::Session, session_builder::SessionBuilder},
    policies::{load_balancing::DefaultPolicy, speculative_execution::SimpleSpeculativeExecutionPolicy},
    statement::Consistency,
};

use super::{config::ScyllaConfig, tls};
use crate::StoreError;

/// Longest wait for one node to take a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for the cluster, all nodes tried.
const SESSION_TIMEOUT: Duration = Duration::from_secs(30);
/// An idle connection is asked so often whether it lives, a thawed Lambda's at once, and is made anew where no answer comes in
/// time: what lies between may have forgotten it without a word.
const ASKED_EVERY: Duration = Duration::from_secs(10);
const ALIVE_WITHIN: Duration = Duration::from_secs(5);
/// A read that is not answered by then is asked of a second node too.
const SECOND_ASKED_AFTER: Duration = Duration::from_millis(150);

/// How statements are executed.
#[derive(Clone)]
pub(super) struct Profiles {
    pub writes: ExecutionProfile,
    pub reads: ExecutionProfile,
}

impl Profiles {
    pub(super) fn of(config: &ScyllaConfig) -> Self {
        let mut balancing = DefaultPolicy::builder().token_aware(true);
        if let Some(dc) = &config.local_dc {
            balancing = balancing.prefer_datacenter(dc.clone()).permit_dc_failover(false);
        }
        let writes = ExecutionProfile::builder()
            .consistency(config.consistency)
            .request_timeout(Some(config.timeout))
            .load_balancing_policy(balancing.build())
            .build();
        // Only reads: a second try of each write doubles the load when the nodes have too much of it.
        let second = SimpleSpeculativeExecutionPolicy { max_retry_count: 1, retry_interval: SECOND_ASKED_AFTER };
        let reads = writes.to_builder().speculative_execution_policy(Some(Arc::new(second))).build();
        Self { writes, reads }
    }
}

/// Connects to the cluster. Nodes that go away later are found again by the driver.
pub(super) async fn open(config: &ScyllaConfig, profiles: &Profiles) -> Result<Session, StoreError> {
    let mut builder = SessionBuilder::new()
        .known_nodes(&config.contact_points)
        .connection_timeout(CONNECT_TIMEOUT)
        .keepalive_interval(ASKED_EVERY)
        .keepalive_timeout(ALIVE_WITHIN)
        .compression(Some(Compression::Lz4))
        .keyspaces_to_fetch([config.keyspace.as_str()])
        .fetch_full_schema_metadata(false)
        .default_execution_profile_handle(profiles.writes.clone().into_handle());
    if let Some((user, password)) = &config.credentials {
        builder = builder.user(user, password);
    }
    if let Some(tls) = tls::client(&config.tls)? {
        builder = builder.tls_context(Some(tls));
    }
    let late = |_| StoreError::Unavailable(format!("{} did not answer within {} s", config.place(), SESSION_TIMEOUT.as_secs()));
    let session = tokio::time::timeout(SESSION_TIMEOUT, builder.build()).await.map_err(late)??;
    check_datacenter(config, &session)?;
    Ok(session)
}

fn check_datacenter(config: &ScyllaConfig, session: &Session) -> Result<(), StoreError> {
    let cluster = session.get_cluster_state();
    let known: BTreeSet<&str> = cluster.get_nodes_info().iter().filter_map(|node| node.datacenter.as_deref()).collect();
    fits(config, &known)
}

/// Refuses what does not fit the datacenters that the cluster has.
fn fits(config: &ScyllaConfig, known: &BTreeSet<&str>) -> Result<(), StoreError> {
    let names = || known.iter().copied().collect::<Vec<_>>().join(", ");
    match &config.local_dc {
        Some(wanted) if !known.contains(wanted.as_str()) => {
            Err(StoreError::Setting(format!("STORE_URL is wrong: local_dc={wanted} is no datacenter of the cluster; it has {}", names())))
        }
        // Each statement would be local to the node it happens to be asked of: what one datacenter has acknowledged, a
        // read of another does not find.
        None if known.len() > 1 && config.consistency == Consistency::LocalQuorum => Err(StoreError::Setting(format!(
            "STORE_URL is wrong: the cluster has several datacenters, and consistency=local_quorum holds within one; \
             name one of {} by local_dc, or say consistency=quorum",
            names()
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_local_quorum_needs_to_know_where_it_is_local() {
        let config = |local_dc: Option<&str>, consistency| ScyllaConfig {
            local_dc: local_dc.map(str::to_owned),
            consistency,
            ..ScyllaConfig::new(vec!["a:1".to_owned()], "k")
        };
        let (one, two) = (BTreeSet::from(["dc1"]), BTreeSet::from(["dc1", "dc2"]));
        fits(&config(None, Consistency::LocalQuorum), &one).unwrap();
        fits(&config(None, Consistency::Quorum), &two).unwrap();
        fits(&config(Some("dc2"), Consistency::LocalQuorum), &two).unwrap();
        let error = fits(&config(None, Consistency::LocalQuorum), &two).unwrap_err().to_string();
        assert!(error.contains("one of dc1, dc2 by local_dc, or say consistency=quorum"), "{error}");
        let error = fits(&config(Some("dc3"), Consistency::Quorum), &two).unwrap_err().to_string();
        assert!(error.contains("local_dc=dc3") && error.contains("it has dc1, dc2"), "{error}");
    }
}
