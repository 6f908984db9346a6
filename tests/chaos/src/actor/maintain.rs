//! The lake's upkeep: small files are merged, and what nobody needs any more is removed.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use clickstream_compact::{LakeSettings, Merge, VacuumRequest};
use clickstream_lake::Lake;
use clickstream_reconcile::ReconcileWith;
use tokio::sync::OnceCell;

use super::{Actor, Run, compact::lake};
use crate::{
    life::Life,
    port::{lake::LakePort, warehouse::WarehousePort},
    world::{Phase, World},
};

/// Merges small files.
#[derive(Default)]
pub struct Merger {
    merge: Arc<OnceCell<Merge>>,
    /// How many versions there were when the last run that came to its end began.
    seen: Arc<AtomicU64>,
}

impl Actor for Merger {
    fn name(&self) -> String {
        "merge".to_owned()
    }

    fn begins_in(&self, phase: Phase) -> bool {
        phase != Phase::Fresh
    }

    fn wants(&self, world: &World) -> bool {
        self.seen.load(Ordering::SeqCst) != world.bucket.versions()
    }

    fn run(&mut self, world: &Arc<World>, life: &Arc<Life>) -> Run {
        let (world, life, cell, seen) = (Arc::clone(world), Arc::clone(life), Arc::clone(&self.merge), Arc::clone(&self.seen));
        Box::pin(async move {
            let versions = world.bucket.versions();
            let opened =
                cell.get_or_try_init(|| async { Ok::<_, String>(Merge::new(lake(&world, &life).await?, LakeSettings::default())) });
            opened.await?.run().await.map_err(|e| e.to_string())?;
            seen.store(versions, Ordering::SeqCst);
            Ok(())
        })
    }

    fn restarted(&mut self, _: &World, _: &Life) {
        self.merge = Arc::default();
    }
}

/// Removes what went from the lake before anything began that is under way: so long ago, for who has a clock.
#[derive(Default)]
pub struct Vacuumer {
    lake: Arc<OnceCell<Lake>>,
    aged: Arc<AtomicU64>,
    /// How many versions there were, and which was done, when the last run that came to its end began.
    seen: Arc<AtomicU64>,
}

/// What a vacuum hangs on, as one number.
fn state(world: &World) -> u64 {
    world.bucket.versions() * 1_000 + world.tables.read().done().unwrap_or(0)
}

impl Actor for Vacuumer {
    fn name(&self) -> String {
        "vacuum".to_owned()
    }

    fn begins_in(&self, phase: Phase) -> bool {
        phase != Phase::Fresh
    }

    fn wants(&self, world: &World) -> bool {
        self.seen.load(Ordering::SeqCst) != state(world)
    }

    fn run(&mut self, world: &Arc<World>, life: &Arc<Life>) -> Run {
        let (world, life, cell) = (Arc::clone(world), Arc::clone(life), Arc::clone(&self.lake));
        let (aged, seen) = (Arc::clone(&self.aged), Arc::clone(&self.seen));
        Box::pin(async move {
            let now = state(&world);
            let opened = cell.get_or_try_init(|| async {
                let port = LakePort::new(&world.bucket, &life).aging(&aged);
                Lake::open_on(Arc::new(port), "sim").await.map_err(|e| e.to_string())
            });
            let lake = opened.await?;
            let settled_version = done(&world, &life).await?;
            #[cfg(feature = "faults")]
            let settled_version =
                if life.sim.broken(crate::Switch::VacuumUnsettled) { Some(world.bucket.versions()) } else { settled_version };
            aged.store(world.sim.under_way_since(Some(life.actor)).min(world.sim.turn()), Ordering::SeqCst);
            let request = VacuumRequest { settled_version, ..VacuumRequest::default() };
            request.run(lake, &LakeSettings::default()).await.map_err(|e| e.to_string())?;
            seen.store(now, Ordering::SeqCst);
            Ok(())
        })
    }

    fn restarted(&mut self, _: &World, _: &Life) {
        self.lake = Arc::default();
    }
}

/// The newest version that is settled and in the marts, asked as the host asks.
async fn done(world: &World, life: &Arc<Life>) -> Result<Option<u64>, String> {
    let warehouse = WarehousePort::new(&world.tables, life);
    let Some(settled) = ReconcileWith::newest_commit(&warehouse).await.map_err(|e| e.to_string())? else { return Ok(None) };
    let waiting = ReconcileWith::versions_without_marts(&warehouse).await.map_err(|e| e.to_string())?;
    Ok(waiting.first().map_or(Some(settled.version), |(version, _)| version.checked_sub(1)))
}
