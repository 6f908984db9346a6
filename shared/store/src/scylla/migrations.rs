//! Numbered migrations in `schema/scylla`, each applied once and never changed afterwards.

use std::{collections::BTreeMap, time::Duration};

use clickstream_event::Micros;
use clickstream_migrations::{checksum, statements};
use scylla::{
    client::session::Session,
    policies::load_balancing::{NodeIdentifier, SingleTargetLoadBalancingPolicy},
    statement::unprepared::Statement,
    value::CqlTimestamp,
};

use super::{
    compression,
    config::{Replication, ScyllaConfig},
    lanes::unreadable,
    session::{self, Profiles},
};
use crate::StoreError;

macro_rules! migrations {
    ($($number:literal $name:literal),+ $(,)?) => {
        /// Number, name and text, in order.
        pub(super) const MIGRATIONS: &[(i32, &str, &str)] =
            &[$(($number, $name, include_str!(concat!("../../../../schema/scylla/", $name, ".cql")))),+];
    };
}
migrations! {
    1 "0001_events",
    2 "0002_timelines",
    3 "0003_rejections",
    4 "0004_erased",
}

/// The table that the others are written down in.
const LEDGER: &str = include_str!("../../../../schema/scylla/0000_migrations.cql");
/// Copies of each row in a datacenter with nodes enough.
const COPIES: usize = 3;
/// A change of the schema takes longer than a write: every node has to know it.
const CHANGE_TIMEOUT: Duration = Duration::from_mins(1);
/// Said where the schema is not as it should be.
pub(super) const REMEDY: &str = "set the store up with the user that may create tables (clickstream setup)";

/// A migration that a keyspace has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedMigration {
    /// Its number, from 1.
    pub number: i32,
    /// The name of its file without `.cql`.
    pub name: String,
    /// SHA-256 of its file, hexadecimal.
    pub checksum: String,
    /// When.
    pub applied_at: Micros,
}

/// Makes the keyspace of `config` and brings its tables up to date, their compression too. Safe to repeat, also after it was interrupted, and
/// while another process does the same: one node makes all changes, so that they come one after another, and each
/// statement may be repeated.
///
/// # Errors
/// [`StoreError::Setting`] if the user may not, if a migration was changed after it was applied, or if a newer program
/// migrated the keyspace.
pub async fn migrate(config: &ScyllaConfig) -> Result<(), StoreError> {
    let session = session::open(config, &Profiles::of(config)).await?;
    let change = Change { session: &session };
    change.run(&keyspace(config, &session)).await?;
    session.use_keyspace(&config.keyspace, false).await.map_err(|e| StoreError::Unavailable(e.to_string()))?;
    for statement in statements(LEDGER) {
        change.run(&statement).await?;
    }
    let known = applied(config, &session).await?;
    for row in &known {
        unchanged(config, row)?;
    }
    for (number, name, text) in MIGRATIONS {
        if known.iter().any(|row| row.number == *number) {
            continue;
        }
        for statement in statements(text) {
            change.run(&statement).await?;
        }
        let insert = "INSERT INTO migrations (number, name, checksum, applied_at) VALUES (?, ?, ?, ?)";
        session.query_unpaged(insert, (number, name, checksum(text), CqlTimestamp(Micros::now().0 / 1_000))).await?;
        tracing::info!(keyspace = config.keyspace, migration = name, "migrated");
    }
    for statement in compression::statements(config, &session).await? {
        change.run(&statement).await?;
    }
    Ok(())
}

/// Whether `keyspace` has every table that this program uses.
pub(super) async fn check(config: &ScyllaConfig, session: &Session) -> Result<(), StoreError> {
    if session.get_cluster_state().get_keyspace(&config.keyspace).is_none() {
        let text = format!("STORE_URL names {}, and there is no such keyspace: correct the name, or {REMEDY}", config.place());
        return Err(StoreError::Setting(text));
    }
    let known = applied(config, session).await?;
    for row in &known {
        unchanged(config, row)?;
    }
    let missing: Vec<_> = missing(&known).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(StoreError::Setting(format!("the keyspace {} lacks the tables of {}: {REMEDY}", config.place(), missing.join(", "))))
}

/// Names of migrations that are not among `known`.
pub(super) fn missing(known: &[AppliedMigration]) -> impl Iterator<Item = &'static str> {
    MIGRATIONS.iter().filter(|(number, ..)| !known.iter().any(|row| row.number == *number)).map(|(_, name, _)| *name)
}

/// What was applied to the keyspace, in order; nothing where it has no table of migrations.
pub(super) async fn applied(config: &ScyllaConfig, session: &Session) -> Result<Vec<AppliedMigration>, StoreError> {
    let exists = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'migrations'";
    let table = session.query_unpaged(exists, (&config.keyspace,)).await?.into_rows_result().map_err(unreadable)?;
    if table.rows_num() == 0 {
        return Ok(Vec::new());
    }
    let query = format!("SELECT number, name, checksum, applied_at FROM {}.migrations", config.keyspace);
    let result = session.query_unpaged(query, ()).await?.into_rows_result().map_err(unreadable)?;
    let rows = result.rows::<(i32, String, String, CqlTimestamp)>().map_err(unreadable)?;
    let mut applied = Vec::new();
    for row in rows {
        let (number, name, checksum, at) = row.map_err(unreadable)?;
        applied.push(AppliedMigration { number, name, checksum, applied_at: Micros(at.0.saturating_mul(1_000)) });
    }
    applied.sort_unstable_by_key(|row| row.number);
    Ok(applied)
}

fn unchanged(config: &ScyllaConfig, row: &AppliedMigration) -> Result<(), StoreError> {
    let place = config.place();
    let Some((_, name, text)) = MIGRATIONS.iter().find(|(number, ..)| *number == row.number) else {
        return Err(StoreError::Setting(format!(
            "{place} has migration {} ({}), which this version does not know: it was migrated by a newer version; run that one",
            row.number, row.name
        )));
    };
    if row.checksum != checksum(text) {
        return Err(StoreError::Setting(format!(
            "migration {name} was changed after {place} was migrated with it: put the old text back and add a new migration"
        )));
    }
    Ok(())
}

/// Changes of the schema.
struct Change<'a> {
    session: &'a Session,
}

impl Change<'_> {
    /// Lets the node with the lowest id make the change and waits until every node knows it. Cassandra's nodes do not
    /// agree among each other before they make a table, so two that made the same at once would make two. It is the
    /// lowest of the nodes that this process is connected to: hosts that reach different nodes must not set up at once.
    async fn run(&self, text: &str) -> Result<(), StoreError> {
        let cluster = self.session.get_cluster_state();
        let first = cluster.get_nodes_info().iter().filter(|node| node.is_connected()).min_by_key(|node| node.host_id);
        let mut statement = Statement::new(text);
        statement.set_is_idempotent(true);
        statement.set_request_timeout(Some(CHANGE_TIMEOUT));
        if let Some(first) = first {
            let policy = SingleTargetLoadBalancingPolicy::new(NodeIdentifier::HostId(first.host_id), None);
            statement.set_load_balancing_policy(Some(policy));
        }
        self.session.query_unpaged(statement, ()).await?;
        Ok(())
    }
}

/// The statement that makes the keyspace. Names were checked when the URL was read.
fn keyspace(config: &ScyllaConfig, session: &Session) -> String {
    let copies = match &config.replication {
        Replication::Everywhere(factor) => format!("'replication_factor': {factor}"),
        Replication::Datacenters(map) => map.iter().map(|(dc, factor)| format!("'{dc}': {factor}")).collect::<Vec<_>>().join(", "),
        Replication::Automatic => {
            let cluster = session.get_cluster_state();
            let mut nodes: BTreeMap<&str, usize> = BTreeMap::new();
            for dc in cluster.get_nodes_info().iter().filter_map(|node| node.datacenter.as_deref()) {
                *nodes.entry(dc).or_default() += 1;
            }
            nodes.iter().map(|(dc, nodes)| format!("'{dc}': {}", COPIES.min(*nodes))).collect::<Vec<_>>().join(", ")
        }
    };
    format!("CREATE KEYSPACE IF NOT EXISTS {} WITH replication = {{'class': 'NetworkTopologyStrategy', {copies}}}", config.keyspace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_without_gaps_and_named_by_their_number() {
        for (at, (number, name, text)) in MIGRATIONS.iter().enumerate() {
            assert_eq!(*number as usize, at + 1);
            assert!(name.starts_with(&format!("{number:04}_")), "{name}");
            assert!(statements(text).iter().all(|s| s.contains("IF NOT EXISTS")), "{name} cannot be repeated");
        }
        assert_eq!(statements(LEDGER).len(), 1);
    }

    #[test]
    fn a_changed_or_newer_migration_is_refused() {
        let config = ScyllaConfig::new(vec!["host:9042".into()], "clicks");
        let row = |number| AppliedMigration { number, name: "x".into(), checksum: "00".into(), applied_at: Micros(0) };
        assert!(unchanged(&config, &row(1)).is_err_and(|e| e.to_string().contains("was changed")));
        assert!(unchanged(&config, &row(9_999)).is_err_and(|e| e.to_string().contains("newer version")));
        assert_eq!(missing(&[row(1), row(3)]).collect::<Vec<_>>(), ["0002_timelines", "0004_erased"]);
    }
}
