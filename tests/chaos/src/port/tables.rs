//! ClickHouse's tables, as `schema/clickhouse` defines them, so far as settling and loading see them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use clickstream_warehouse::Commit;
use uuid::Uuid;

use crate::columns::{Identity, Row};

/// µs of a day.
pub const DAY: i64 = 86_400_000_000;

/// A row of `events`.
#[derive(Clone, Debug)]
pub struct Settled {
    pub row: Row,
    pub load_id: Uuid,
}

/// The tables.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub events: Vec<Settled>,
    pub loads: BTreeSet<(Uuid, u64)>,
    pub commits: Vec<Commit>,
    pub fresh: Vec<Row>,
    /// The newest version whose marts were rebuilt.
    pub rebuilt: Option<u64>,
    /// Events a day, as the marts have them.
    pub marts: BTreeMap<i64, u64>,
    /// Tokens of inserts that were seen.
    pub tokens: BTreeSet<String>,
    /// Rows that were taken and do not stand yet.
    #[cfg(feature = "faults")]
    pub promised: BTreeMap<Uuid, u64>,
}

/// What ClickHouse holds.
#[derive(Default)]
pub struct Tables {
    state: Mutex<State>,
    changes: AtomicU64,
}

impl Tables {
    /// The tables as they stand.
    pub fn read(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tables, to be changed.
    pub fn write(&self) -> MutexGuard<'_, State> {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.read()
    }

    /// Counts changes.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }
}

impl State {
    /// The row of `commits` that rules.
    pub fn newest(&self) -> Option<&Commit> {
        let newest = self.commits.iter().map(|c| c.version).max()?;
        self.commits.iter().filter(|c| c.version == newest).min_by_key(|c| c.load_id)
    }

    /// Loads that count: of several for one version the smallest.
    pub fn counted(&self) -> BTreeSet<Uuid> {
        let mut by_version: BTreeMap<u64, Uuid> = BTreeMap::new();
        for commit in self.commits.iter().filter(|c| c.rows > 0) {
            let least = by_version.entry(commit.version).or_insert(commit.load_id);
            *least = (*least).min(commit.load_id);
        }
        by_version.into_values().collect()
    }

    /// Rows of loads that count.
    pub fn settled(&self) -> impl Iterator<Item = &Row> {
        let counted = self.counted();
        self.events.iter().filter(move |s| counted.contains(&s.load_id)).map(|s| &s.row)
    }

    pub fn rows_of_load(&self, load_id: Uuid) -> u64 {
        self.events.iter().filter(|s| s.load_id == load_id).count() as u64
    }

    /// Identities of a load.
    pub fn identities_of_load(&self, load_id: Uuid) -> BTreeSet<Identity> {
        self.events.iter().filter(|s| s.load_id == load_id).map(|s| s.row.identity.clone()).collect()
    }
}
