//! compact, by the clock, with a lake of its own as on a host of its own.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use clickstream_compact::{Compact, CompactOptions, CompactRequest};
use clickstream_lake::Lake;
use clickstream_log::EVENTS;
use tokio::sync::OnceCell;

use super::{Actor, Run, tombstones};
use crate::{
    life::Life,
    port::{lake::LakePort, log::LOG_ID, objects::ObjectsPort},
    world::{Phase, World},
};

/// Compacts a shard: partitions `shard`, `shard + of`, …
pub struct Compactor {
    number: usize,
    shard: u32,
    of: u32,
    compact: Arc<OnceCell<Compact>>,
    /// What had been landed when the last run that came to its end began.
    seen: Arc<AtomicU64>,
}

impl Compactor {
    pub fn new(number: usize, shard: u32, of: u32) -> Self {
        Self { number, shard, of, compact: Arc::default(), seen: Arc::new(AtomicU64::new(u64::MAX)) }
    }
}

/// The lake as one process opens it.
pub async fn lake(world: &World, life: &Arc<Life>) -> Result<Arc<Lake>, String> {
    let lake = Lake::open_on(Arc::new(LakePort::new(&world.bucket, life)), "sim").await;
    lake.map(Arc::new).map_err(|e| e.to_string())
}

impl Actor for Compactor {
    fn name(&self) -> String {
        format!("compact-{}", self.number)
    }

    fn wants(&self, world: &World) -> bool {
        self.seen.load(Ordering::SeqCst) != world.bucket.raw_writes()
    }

    fn run(&mut self, world: &Arc<World>, life: &Arc<Life>) -> Run {
        let (world, life, cell, seen) = (Arc::clone(world), Arc::clone(life), Arc::clone(&self.compact), Arc::clone(&self.seen));
        let (shard, of) = (self.shard, self.of);
        Box::pin(async move {
            let landed = world.bucket.raw_writes();
            let opened = cell.get_or_try_init(|| async {
                let objects = Arc::new(ObjectsPort::new(&world.bucket, &life));
                let compact = Compact::new(objects.clone(), lake(&world, &life).await?, LOG_ID.to_owned());
                let compact = compact.with_tombstones(tombstones(objects));
                // One call after the other, so that a seed runs the same way again.
                Ok::<_, String>(compact.with_options(CompactOptions { threads: 0, ..CompactOptions::default() }))
            });
            let partitions = (of > 1).then(|| (shard..world.log.partitions(EVENTS)).step_by(of as usize).collect());
            let report = opened.await?.run(CompactRequest { partitions }).await.map_err(|e| e.to_string())?;
            if !report.more {
                seen.store(landed, Ordering::SeqCst);
            }
            Ok(())
        })
    }

    fn restarted(&mut self, _: &World, _: &Life) {
        self.compact = Arc::default();
    }

    fn begins_in(&self, phase: Phase) -> bool {
        phase != Phase::Fresh
    }
}
