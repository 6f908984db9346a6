//! What outlives every process: the log, the bucket, the event store, ClickHouse, and what clients were told.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use clickstream_event::{Site, Sites};
use clickstream_log::{EVENTS, REJECTED};
use uuid::Uuid;

use crate::{
    columns::Identity,
    plan::Plan,
    port::{bucket::Bucket, log::Topics, store::Shelf, tables::Tables},
    sim::Sim,
};

/// What clients know.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// Events that an answer called kept, and how often.
    pub accepted: BTreeMap<Identity, u32>,
    /// Message ids of what an answer called rejected.
    pub rejected: BTreeSet<Uuid>,
    /// Everything that was ever sent, valid or not, by site and message id.
    pub sent: BTreeSet<Identity>,
    /// What an answer said that cannot be true.
    pub lies: Vec<String>,
}

/// What outlives every process.
pub struct World {
    pub sim: Arc<Sim>,
    pub log: Arc<Topics>,
    pub bucket: Arc<Bucket>,
    pub shelf: Arc<Shelf>,
    pub tables: Arc<Tables>,
    told: Mutex<Knowledge>,
}

impl World {
    pub fn new(sim: Arc<Sim>, plan: &Plan) -> Arc<Self> {
        let log = Topics::default();
        log.create(EVENTS, plan.partitions);
        log.create(REJECTED, 1);
        Arc::new(Self {
            sim,
            log: Arc::new(log),
            bucket: Arc::default(),
            shelf: Arc::default(),
            tables: Arc::default(),
            told: Mutex::default(),
        })
    }

    pub fn told(&self) -> MutexGuard<'_, Knowledge> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sites and their keys.
pub const SITES: [(&str, &str); 2] = [("shop", "k"), ("blog", "b")];

/// The sites that take events.
pub fn sites() -> Sites {
    Sites::new(SITES.iter().map(|(site, key)| Site::new(*site, *key)).collect())
}
