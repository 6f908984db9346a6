//! What outlives every process: the log, the bucket, the event store, ClickHouse, and what clients were told.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use clickstream_erase::Step;
use clickstream_event::{Schema, Schemas, Site, Sites, Violation};
use clickstream_log::{EVENTS, REJECTED};
use rand::seq::IteratorRandom as _;
use serde_json::json;
use uuid::Uuid;

use crate::{
    columns::Identity,
    plan::Plan,
    port::{bucket::Bucket, log::Topics, store::Shelf, tables::Tables},
    sim::Sim,
    traffic::{Person, Sender},
};

/// What is left to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Clients send, and everything goes wrong.
    Faults,
    /// Nothing goes wrong any more, and nothing is settled: what is fresh is to be seen.
    Fresh,
    /// Everything is settled, erased, and played again.
    Settling,
    /// Everything is compared once more.
    Closing,
}

/// Somebody who was told that a person is being erased.
#[derive(Clone, Debug)]
pub struct Asked {
    pub erasure: Uuid,
    pub site: &'static str,
    pub person: Person,
}

/// What clients know.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// Events that an answer called kept, and how often.
    pub accepted: BTreeMap<Identity, u32>,
    /// Message ids of what an answer called rejected.
    pub rejected: BTreeSet<Uuid>,
    /// Everything that was ever sent, valid or not, by site and message id.
    pub sent: BTreeSet<Identity>,
    /// Who sent it, by message id.
    pub senders: BTreeMap<Uuid, Vec<Sender>>,
    /// Of it, what the sites of today refuse and those of later do not.
    pub later_valid: BTreeSet<Identity>,
    /// Erasures that were answered for.
    pub erasures: Vec<Asked>,
    /// A replay of rejected records came to its end after the last was rejected.
    pub replayed: bool,
    /// What an answer said that cannot be true.
    pub lies: Vec<String>,
}

/// How far an erasure is, and the turn at which it was first known to be past [`Step::Settle`].
pub type Progress = BTreeMap<Uuid, (Step, u64)>;

/// What outlives every process.
pub struct World {
    pub sim: Arc<Sim>,
    pub log: Arc<Topics>,
    pub bucket: Arc<Bucket>,
    pub shelf: Arc<Shelf>,
    pub tables: Arc<Tables>,
    phase: Mutex<Phase>,
    told: Mutex<Knowledge>,
    progress: Mutex<Progress>,
    /// How many are to be erased.
    erasures: usize,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub fn new(sim: Arc<Sim>, plan: &Plan) -> Arc<Self> {
        let (log, tables) = (Topics::default(), Arc::<Tables>::default());
        log.create(EVENTS, plan.partitions);
        log.create(REJECTED, 1);
        Arc::new(Self {
            log: Arc::new(log),
            bucket: Arc::new(Bucket::new(&sim, &tables)),
            shelf: Arc::default(),
            tables,
            sim,
            phase: Mutex::new(Phase::Faults),
            told: Mutex::default(),
            progress: Mutex::default(),
            erasures: plan.erasures.len(),
        })
    }

    pub fn told(&self) -> MutexGuard<'_, Knowledge> {
        locked(&self.told)
    }

    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        locked(&self.progress)
    }

    pub fn phase(&self) -> Phase {
        *locked(&self.phase)
    }

    pub fn enter(&self, phase: Phase) {
        *locked(&self.phase) = phase;
    }

    /// Keys of receipts of erasures.
    pub fn receipts(&self) -> Vec<String> {
        self.bucket.keys("erasures/").into_iter().filter(|key| key.ends_with("/receipt.json")).collect()
    }

    /// True if everything that was taken is in the log, and stored, landed and loaded as far as it was announced.
    pub fn is_landed(&self) -> bool {
        let done = |group| self.log.is_done(group);
        done("store") && done("land") && self.bucket.queue.is_empty() && self.bucket.keys("spill/").is_empty()
    }

    /// Loses a raw object that is not compacted; the log still has what it holds.
    pub fn lose_raw(&self, random: &mut impl rand::Rng) -> bool {
        let watermarks = self.tables.read().newest().map(|commit| commit.watermarks.clone()).unwrap_or_default();
        let is_needed = |key: &String| {
            let mut parts = key.strip_prefix("raw/events/")?.split('/');
            let (log_id, partition, name) = (parts.next()?, parts.next()?, parts.next()?);
            let (last, partition): (u64, u32) = (name.split('-').next()?.parse().ok()?, partition.parse().ok()?);
            Some(last >= watermarks.get(&format!("{log_id}/{partition}")).copied().unwrap_or(0))
        };
        let needed = self.bucket.keys("raw/events/").into_iter().filter(|key| is_needed(key) == Some(true));
        needed.choose(random).is_some_and(|key| self.bucket.lose(&key.into()))
    }

    /// True if everybody is erased who is to be.
    pub fn all_are_erased(&self) -> bool {
        self.told().erasures.len() == self.erasures && self.bucket.keys("erasures/pending/").is_empty()
    }
}

/// Sites and their keys.
pub const SITES: [(&str, &str); 2] = [("shop", "k"), ("blog", "b")];
/// The event that the sites of today refuse, and those of later do not.
pub const LATER_VALID: &str = "order";

/// The sites that take events.
pub fn sites() -> Sites {
    let schema = || Schema::new(LATER_VALID, 1, Violation::Reject, &json!({ "required": ["total"] }));
    let strict = |(site, key): &(&str, &str)| Site { schemas: Schemas::new(schema().into_iter().collect()), ..Site::new(*site, *key) };
    Sites::new(SITES.iter().map(strict).collect())
}

/// The sites by which rejected records are judged again.
pub fn later_sites() -> Sites {
    Sites::new(SITES.iter().map(|(site, key)| Site::new(*site, *key)).collect())
}
