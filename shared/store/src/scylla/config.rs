//! What a store on `ScyllaDB` needs to know.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use scylla::statement::Consistency;

use crate::StoreError;

/// Where a keyspace of `ScyllaDB` or Cassandra is, and how it is used. [`ScyllaConfig::from_url`] reads one.
#[derive(Clone)]
pub struct ScyllaConfig {
    /// `host:port` of some nodes; the driver finds the others.
    pub contact_points: Vec<String>,
    /// Lower-case letters, digits and `_`, beginning with a letter.
    pub keyspace: String,
    /// How often the keyspace is kept, if it has to be made.
    pub replication: Replication,
    /// The datacenter whose nodes are asked; all where there is none.
    pub local_dc: Option<String>,
    /// Replicas that must have answered, of reads and writes.
    pub consistency: Consistency,
    /// Statements under way at once, of writes and of reads each.
    pub concurrency: usize,
    /// Longest wait for one statement, retries included.
    pub timeout: Duration,
    /// Whom to trust on an encrypted connection.
    pub tls: Tls,
    /// User and password.
    pub credentials: Option<(String, String)>,
}

/// How many nodes hold each row of a new keyspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replication {
    /// Three in every datacenter, or as many as it has nodes.
    Automatic,
    /// So many in every datacenter.
    Everywhere(u8),
    /// So many in the datacenters named, none in others.
    Datacenters(BTreeMap<String, u8>),
}

/// Encryption of connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// None.
    Off,
    /// Certificates signed by an authority that the operating system trusts.
    System,
    /// Certificates signed by an authority of this PEM file.
    Authority(PathBuf),
}

impl fmt::Debug for ScyllaConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.credentials.as_ref().map(|(user, _)| user);
        f.debug_struct("ScyllaConfig")
            .field("contact_points", &self.contact_points)
            .field("keyspace", &self.keyspace)
            .field("replication", &self.replication)
            .field("local_dc", &self.local_dc)
            .field("consistency", &self.consistency)
            .field("concurrency", &self.concurrency)
            .field("timeout", &self.timeout)
            .field("tls", &self.tls)
            .field("user", &user)
            .finish_non_exhaustive()
    }
}

impl ScyllaConfig {
    /// The keyspace `keyspace` behind `contact_points`, everything else as it is by default.
    pub fn new(contact_points: Vec<String>, keyspace: &str) -> Self {
        Self {
            contact_points,
            keyspace: keyspace.to_owned(),
            replication: Replication::Automatic,
            local_dc: None,
            consistency: Consistency::LocalQuorum,
            concurrency: 128,
            timeout: Duration::from_secs(5),
            tls: Tls::Off,
            credentials: None,
        }
    }

    /// With the user and password of `SCYLLA_USERNAME` and `SCYLLA_PASSWORD`, if they are set.
    ///
    /// # Errors
    /// [`StoreError::Setting`] if only one of them is.
    pub fn with_credentials_from_env(mut self) -> Result<Self, StoreError> {
        let variable = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
        self.credentials = match (variable("SCYLLA_USERNAME"), variable("SCYLLA_PASSWORD")) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            (Some(_), None) => return Err(StoreError::Setting("SCYLLA_USERNAME is set and SCYLLA_PASSWORD is not: set both".to_owned())),
            (None, Some(_)) => return Err(StoreError::Setting("SCYLLA_PASSWORD is set and SCYLLA_USERNAME is not: set both".to_owned())),
        };
        Ok(self)
    }

    /// The nodes and the keyspace, as they are named in messages.
    pub(super) fn place(&self) -> String {
        format!("scylla://{}/{}", self.contact_points.join(","), self.keyspace)
    }
}
