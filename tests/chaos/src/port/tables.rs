//! ClickHouse's tables, as `schema/clickhouse` defines them, so far as settling and loading see them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use clickstream_warehouse::{Commit, LedgerRow};
use rand::RngExt as _;
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
    /// What the ledger was kept as last, and kinds of repairs that were noted.
    pub ledger: Vec<LedgerRow>,
    pub repairs: Vec<String>,
    /// Rows of `events` were lost without anybody's call, and not restored.
    pub damaged: bool,
    /// Rows of either table were lost at some time.
    pub lossy: bool,
    /// The restoration that goes on, and how many there were.
    pub restoring: Option<u64>,
    pub restorations: u64,
    /// `events` was exchanged for what the lake holds.
    pub exchanged: bool,
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
    losses: AtomicU64,
}

impl Tables {
    /// Loses some rows of `fresh`.
    pub fn lose_fresh(&self, random: &mut impl rand::Rng) -> bool {
        let mut state = self.write();
        let (kept, lost): (Vec<Row>, Vec<Row>) = std::mem::take(&mut state.fresh).into_iter().partition(|_| random.random_bool(0.5));
        state.fresh = kept;
        state.lossy |= !lost.is_empty();
        !lost.is_empty()
    }

    /// Loses some rows of `events`.
    pub fn lose_settled(&self, random: &mut impl rand::Rng) -> bool {
        let mut state = self.write();
        let (kept, lost): (Vec<_>, Vec<_>) = std::mem::take(&mut state.events).into_iter().partition(|_| random.random_bool(0.7));
        state.events = kept;
        state.damaged |= !lost.is_empty();
        state.lossy |= !lost.is_empty();
        !lost.is_empty()
    }

    /// Something was lost, here or elsewhere.
    pub fn note_loss(&self) {
        self.losses.fetch_add(1, Ordering::SeqCst);
    }

    /// How often something was lost.
    pub fn losses(&self) -> u64 {
        self.losses.load(Ordering::SeqCst)
    }

    /// The tables as they stand.
    pub fn read(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tables, to be changed.
    pub fn write(&self) -> MutexGuard<'_, State> {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.read()
    }

    /// A restoration goes on from now; nothing is settled meanwhile.
    pub fn begin_restoration(&self) -> u64 {
        let mut state = self.write();
        state.restorations += 1;
        state.restoring = Some(state.restorations);
        state.restorations
    }

    /// It goes on no longer.
    pub fn end_restoration(&self, run: u64) {
        let mut state = self.write();
        state.restoring = state.restoring.filter(|goes_on| *goes_on != run);
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

    /// The newest version that is settled and in the marts.
    pub fn done(&self) -> Option<u64> {
        let newest = self.newest()?.version;
        self.without_marts().first().map_or(Some(newest), |(version, _)| version.checked_sub(1))
    }

    /// Versions that are settled and not in the marts, with their loads.
    pub fn without_marts(&self) -> Vec<(u64, Uuid)> {
        let mut loads: BTreeMap<u64, Uuid> = BTreeMap::new();
        for commit in self.commits.iter().filter(|c| self.rebuilt.is_none_or(|rebuilt| c.version > rebuilt)) {
            let least = loads.entry(commit.version).or_insert(commit.load_id);
            *least = (*least).min(commit.load_id);
        }
        loads.into_iter().collect()
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
