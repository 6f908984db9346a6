//! What an operator should know of a cluster.

use std::{collections::BTreeMap, fmt};

use clickstream_event::Micros;
use scylla::{
    client::session::Session,
    cluster::metadata::Strategy,
    policies::load_balancing::{NodeIdentifier, SingleTargetLoadBalancingPolicy},
    statement::unprepared::Statement,
    value::CqlTimeuuid,
};
use uuid::Uuid;

use super::{
    config::ScyllaConfig,
    lanes::unreadable,
    migrations::{self, AppliedMigration},
    session::{self, Profiles},
};
use crate::StoreError;

/// Copies of a row from which on a node's crash loses nothing that was acknowledged.
const ENOUGH_COPIES: usize = 3;

/// Which of the servers that speak CQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Cassandra,
    ScyllaDb,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Address and port.
    pub address: String,
    /// Its datacenter.
    pub datacenter: Option<String>,
    /// `periodic`, `batch` or, of Cassandra, `group`; none where it cannot be asked.
    pub commitlog_sync: Option<String>,
}

/// What [`inspect`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Which server.
    pub kind: Kind,
    /// Its version.
    pub version: String,
    /// How far the clock of the node that was asked is ahead of ours, µs; half of what its answer took may be wrong.
    pub ahead: i64,
    /// Every node that is known.
    pub nodes: Vec<Node>,
    /// Copies of each row, by datacenter, `*` for any; none if there is no keyspace.
    pub replication: Option<BTreeMap<String, usize>>,
    /// What was applied to the keyspace.
    pub migrations: Vec<AppliedMigration>,
    /// Names of migrations that are still to be applied.
    pub missing: Vec<&'static str>,
}

/// Asks the cluster of `config` what it is and how the keyspace stands. The keyspace may be missing.
pub async fn inspect(config: &ScyllaConfig) -> Result<Inspection, StoreError> {
    let session = session::open(config, &Profiles::of(config)).await?;
    let scylla = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'system' AND table_name = 'versions'";
    let (kind, version, sync) = if text(&session, scylla, None).await?.is_some() {
        (
            Kind::ScyllaDb,
            "SELECT version FROM system.versions WHERE key = 'local'",
            "SELECT value FROM system.config WHERE name = 'commitlog_sync'",
        )
    } else {
        let sync = "SELECT value FROM system_views.settings WHERE name = 'commitlog_sync'";
        (Kind::Cassandra, "SELECT release_version FROM system.local", sync)
    };
    let version = text(&session, version, None).await?.unwrap_or_default();
    let ahead = ahead(&session).await?;
    let cluster = session.get_cluster_state();
    let mut nodes = Vec::new();
    for node in cluster.get_nodes_info() {
        // A node that is down, or too old to have the table, says nothing.
        let commitlog_sync = text(&session, sync, Some(node.host_id)).await.unwrap_or_default();
        nodes.push(Node { address: node.address.to_string(), datacenter: node.datacenter.clone(), commitlog_sync });
    }
    let replication = cluster.get_keyspace(&config.keyspace).map(|keyspace| copies(&keyspace.strategy));
    let migrations = migrations::applied(config, &session).await?;
    let missing = migrations::missing(&migrations).collect();
    Ok(Inspection { kind, version, ahead, nodes, replication, migrations, missing })
}

/// The text in the first column of the first row, as `host` or any node says it.
async fn text(session: &Session, query: &str, host: Option<Uuid>) -> Result<Option<String>, StoreError> {
    let mut statement = Statement::new(query);
    statement.set_is_idempotent(true);
    statement.set_consistency(scylla::statement::Consistency::One);
    if let Some(host) = host {
        statement.set_load_balancing_policy(Some(SingleTargetLoadBalancingPolicy::new(NodeIdentifier::HostId(host), None)));
    }
    let result = session.query_unpaged(statement, ()).await?.into_rows_result().map_err(unreadable)?;
    let row = result.maybe_first_row::<(Option<String>,)>().map_err(unreadable)?;
    Ok(row.and_then(|(text,)| text))
}

/// See [`Inspection::ahead`].
async fn ahead(session: &Session) -> Result<i64, StoreError> {
    let asked = Micros::now();
    let result = session.query_unpaged("SELECT now() FROM system.local", ()).await?.into_rows_result().map_err(unreadable)?;
    let halfway = i64::midpoint(asked.0, Micros::now().0);
    let (id,) = result.first_row::<(CqlTimeuuid,)>().map_err(unreadable)?;
    let (seconds, nanos) = Uuid::from(id).get_timestamp().map_or((0, 0), |time| time.to_unix());
    Ok(seconds.cast_signed() * 1_000_000 + i64::from(nanos / 1_000) - halfway)
}

fn copies(strategy: &Strategy) -> BTreeMap<String, usize> {
    match strategy {
        Strategy::NetworkTopologyStrategy { datacenter_repfactors } => datacenter_repfactors.clone().into_iter().collect(),
        Strategy::SimpleStrategy { replication_factor } => BTreeMap::from([("*".to_owned(), *replication_factor)]),
        _ => BTreeMap::from([("*".to_owned(), 1)]),
    }
}

/// Whether the user of `config` may write: removes a rejection that nobody has, which leaves nothing to be read.
///
/// # Errors
/// [`StoreError::Setting`] if the user may not.
pub async fn try_write(config: &ScyllaConfig) -> Result<(), StoreError> {
    let session = session::open(config, &Profiles::of(config)).await?;
    let delete = format!("DELETE FROM {}.rejections WHERE log_partition = -1 AND log_offset = -1", config.keyspace);
    session.query_unpaged(delete, ()).await?;
    Ok(())
}

impl Inspection {
    /// Fewest copies of a row in any datacenter; none if there is no keyspace.
    pub fn fewest_copies(&self) -> Option<usize> {
        self.replication.as_ref().and_then(|by_dc| by_dc.values().copied().min())
    }

    /// Addresses of nodes that lose rows which were acknowledged when they are killed: they write their commit log later
    /// (`periodic`), and too few others have the row.
    pub fn losing(&self) -> Vec<&str> {
        let few = self.fewest_copies().is_some_and(|copies| copies < ENOUGH_COPIES);
        let periodic = self.nodes.iter().filter(|n| few && n.commitlog_sync.as_deref() == Some("periodic"));
        periodic.map(|n| n.address.as_str()).collect()
    }

    /// What an operator should set right, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let (copies, periodic) = (self.fewest_copies(), self.losing());
        if let Some(copies) = copies.filter(|_| !periodic.is_empty()) {
            warnings.push(format!(
                "commitlog_sync is periodic on {} and a row has {copies} of {ENOUGH_COPIES} copies: rows that were acknowledged are lost when a \
                 node is killed; set commitlog_sync to group or batch, or the keyspace's replication to {ENOUGH_COPIES}",
                periodic.join(", ")
            ));
        }
        if copies.is_none() {
            warnings.push(format!("the keyspace is missing: {}", migrations::REMEDY));
        } else if !self.missing.is_empty() {
            warnings.push(format!("the keyspace lacks the tables of {}: {}", self.missing.join(", "), migrations::REMEDY));
        }
        warnings
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cassandra => "Apache Cassandra",
            Self::ScyllaDb => "ScyllaDB",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(copies: Option<usize>, sync: Option<&str>, missing: &[&'static str]) -> Inspection {
        let node = Node { address: "10.0.0.1:9042".into(), datacenter: Some("dc1".into()), commitlog_sync: sync.map(str::to_owned) };
        Inspection {
            kind: Kind::Cassandra,
            version: "5.0.8".into(),
            ahead: 0,
            nodes: vec![node],
            replication: copies.map(|copies| BTreeMap::from([("dc1".to_owned(), copies), ("dc2".to_owned(), 3)])),
            migrations: Vec::new(),
            missing: missing.to_vec(),
        }
    }

    #[test]
    fn acknowledged_rows_that_a_crash_may_lose_are_warned_of() {
        let [warning] = &found(Some(1), Some("periodic"), &[]).warnings()[..] else { panic!() };
        assert!(warning.contains("10.0.0.1:9042") && warning.contains("group or batch"), "{warning}");
        for fine in [found(Some(3), Some("periodic"), &[]), found(Some(1), Some("group"), &[]), found(Some(1), None, &[])] {
            assert!(fine.warnings().is_empty(), "{fine:?}");
        }
    }

    #[test]
    fn missing_tables_are_warned_of() {
        assert!(found(None, None, &["0001_events"]).warnings()[0].contains("the keyspace is missing"));
        assert!(found(Some(3), None, &["0002_timelines"]).warnings()[0].contains("0002_timelines"));
    }
}
