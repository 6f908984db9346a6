//! settle, by the clock.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use clickstream_settle::Settle;
use tokio::sync::OnceCell;

use super::{Actor, Run, compact::lake};
use crate::{
    life::Life,
    port::warehouse::WarehousePort,
    world::{Phase, World},
};

/// Settles all versions.
pub struct Settler {
    number: usize,
    settle: Arc<OnceCell<Settle>>,
    /// How many versions there were when the last run that came to its end began.
    seen: Arc<AtomicU64>,
}

impl Settler {
    pub fn new(number: usize) -> Self {
        Self { number, settle: Arc::default(), seen: Arc::new(AtomicU64::new(u64::MAX)) }
    }
}

impl Actor for Settler {
    fn name(&self) -> String {
        format!("settle-{}", self.number)
    }

    fn wants(&self, world: &World) -> bool {
        self.seen.load(Ordering::SeqCst) != world.bucket.versions()
    }

    fn run(&mut self, world: &Arc<World>, life: &Arc<Life>) -> Run {
        let (world, life, cell, seen) = (Arc::clone(world), Arc::clone(life), Arc::clone(&self.settle), Arc::clone(&self.seen));
        Box::pin(async move {
            let versions = world.bucket.versions();
            let opened = cell.get_or_try_init(|| async {
                Ok::<_, String>(Settle::new(lake(&world, &life).await?, WarehousePort::new(&world.tables, &life)))
            });
            let report = opened.await?.run().await.map_err(|e| e.to_string())?;
            if !report.waits {
                seen.store(versions, Ordering::SeqCst);
            }
            Ok(())
        })
    }

    fn restarted(&mut self, _: &World, _: &Life) {
        self.settle = Arc::default();
    }

    fn begins_in(&self, phase: Phase) -> bool {
        phase != Phase::Fresh
    }
}
