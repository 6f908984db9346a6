//! reconcile: while everything goes wrong at some turns, and when nothing does any more whenever something changed.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clickstream_log::EVENTS;
use clickstream_reconcile::{Reconcile, ReconcileRequest, Settings, Sources};
use tokio::sync::OnceCell;

use super::{Actor, Run, compact::lake, tombstones};
use crate::{
    life::Life,
    port::{
        log::{LOG_ID, LogPort},
        objects::ObjectsPort,
        store::StorePort,
        warehouse::WarehousePort,
    },
    world::{Phase, World},
};

/// So many records of a partition that each is looked for: which are chosen is not the seed's to say.
const ALL: u64 = 4_096;

/// What may have changed since a run: announcements lost, raw objects, log, versions settled, and losses.
type Seen = (Phase, u64, u64, u64, Option<u64>, u64);

/// Compares every store with every other, and mends.
pub struct Reconciler {
    /// Turns from which on it runs while faults are injected.
    turns: Vec<u64>,
    done: usize,
    reconcile: Arc<OnceCell<Reconcile>>,
    seen: Arc<Mutex<Option<Seen>>>,
}

impl Reconciler {
    pub fn new(turns: Vec<u64>) -> Self {
        Self { turns, done: 0, reconcile: Arc::default(), seen: Arc::default() }
    }
}

fn now(world: &World) -> Seen {
    let logged = world.log.count(EVENTS);
    let settled = world.tables.read().newest().map(|commit| commit.version);
    (world.phase(), world.bucket.queue.lost(), world.bucket.raw_writes(), logged, settled, world.tables.losses())
}

impl Actor for Reconciler {
    fn name(&self) -> String {
        "reconcile".to_owned()
    }

    fn begins_in(&self, phase: Phase) -> bool {
        phase != Phase::Settling
    }

    fn wants(&self, world: &World) -> bool {
        #[cfg(feature = "faults")]
        if world.sim.broken(crate::Switch::LoseNotifications) {
            return false;
        }
        match world.phase() {
            Phase::Faults => self.turns.get(self.done).is_some_and(|from| world.sim.turn() >= *from),
            _ if !world.is_landed() => false,
            _ => *self.seen.lock().unwrap_or_else(PoisonError::into_inner) != Some(now(world)),
        }
    }

    fn run(&mut self, world: &Arc<World>, life: &Arc<Life>) -> Run {
        self.done += usize::from(world.phase() == Phase::Faults);
        let (world, life, cell, seen) = (Arc::clone(world), Arc::clone(life), Arc::clone(&self.reconcile), Arc::clone(&self.seen));
        Box::pin(async move {
            let began = now(&world);
            let opened = cell.get_or_try_init(|| async {
                let objects = Arc::new(ObjectsPort::new(&world.bucket, &life));
                let (log, store) = (Arc::new(LogPort::new(&world.log, &life)), Arc::new(StorePort::new(&world.shelf, &life)));
                let (lake, warehouse) = (lake(&world, &life).await?, WarehousePort::new(&world.tables, &life));
                let sources = Sources::new(log, objects.clone(), lake, warehouse, store, LOG_ID.to_owned());
                let settings = Settings { grace: Duration::ZERO, samples: ALL, ..Settings::default() };
                Ok::<_, String>(Reconcile::new(sources.with_tombstones(tombstones(objects)), settings))
            });
            let request = ReconcileRequest::default();
            #[cfg(feature = "faults")]
            let request =
                ReconcileRequest { dry_run: world.phase() < Phase::Closing && life.sim.broken(crate::Switch::ReconcileIdle), ..request };
            let report = opened.await?.run(request).await.map_err(|e| e.to_string())?;
            if !report.failed.is_empty() {
                return Err(report.failed.join("; "));
            }
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(began);
            Ok(())
        })
    }

    fn restarted(&mut self, _: &World, _: &Life) {
        self.reconcile = Arc::default();
    }
}
