//! replay: of rejected records, of the log and of raw objects, while load runs and once more when everybody is erased.
//!
//! Another source is one more [`Replayed`], and a line in [`source`].

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use clickstream_log::EVENTS;
use clickstream_replay::{Replay, ReplayRequest, ReplaySource};

use super::{Actor, Run, tombstones};
use crate::{
    life::Life,
    plan::Replayed,
    port::{log::LogPort, objects::ObjectsPort, warehouse::WarehousePort},
    world::{Phase, World, later_sites},
};

type Waiting = VecDeque<(u64, Replayed)>;

/// Plays again.
pub struct Replayer {
    waiting: Arc<Mutex<Waiting>>,
    /// What is played when nothing goes wrong any more.
    last: Arc<Mutex<Waiting>>,
    replay: Option<Arc<Replay>>,
}

fn locked(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Replayer {
    pub fn new(replays: &[(u64, Replayed)]) -> Self {
        let mut last: Waiting = replays.iter().map(|(_, what)| (0, *what)).filter(|(_, what)| *what != Replayed::Rejected).collect();
        last.push_back((0, Replayed::Rejected));
        Self { waiting: Arc::new(Mutex::new(replays.iter().copied().collect())), last: Arc::new(Mutex::new(last)), replay: None }
    }

    fn queue(&self, phase: Phase) -> &Arc<Mutex<Waiting>> {
        if phase == Phase::Faults { &self.waiting } else { &self.last }
    }
}

fn source(what: Replayed, world: &World) -> ReplaySource {
    match what {
        Replayed::Rejected => ReplaySource::Rejected { from: None, to: None },
        Replayed::Topic { partition, from } => {
            let end = world.log.next_offset(EVENTS, partition);
            ReplaySource::Topic { partition: Some(partition), from: Some(end * from / 1_000), to: Some(end) }
        }
        Replayed::Raw => ReplaySource::Raw { partition: None, from: None, to: None },
    }
}

impl Actor for Replayer {
    fn name(&self) -> String {
        "replay".to_owned()
    }

    fn begins_in(&self, phase: Phase) -> bool {
        matches!(phase, Phase::Faults | Phase::Settling)
    }

    fn wants(&self, world: &World) -> bool {
        let phase = world.phase();
        // What is played last is played when everybody is erased who is to be.
        let due = locked(self.queue(phase)).front().is_some_and(|(from, _)| world.sim.turn() >= *from);
        due && (phase == Phase::Faults || world.all_are_erased())
    }

    fn run(&mut self, world: &Arc<World>, life: &Arc<Life>) -> Run {
        let made = || {
            let (objects, log) = (Arc::new(ObjectsPort::new(&world.bucket, life)), Arc::new(LogPort::new(&world.log, life)));
            let replay = Replay::new(log, objects.clone(), WarehousePort::new(&world.tables, life), later_sites());
            Arc::new(replay.with_tombstones(tombstones(objects)))
        };
        let replay = Arc::clone(self.replay.get_or_insert_with(made));
        let (world, phase) = (Arc::clone(world), world.phase());
        let queue = Arc::clone(self.queue(phase));
        Box::pin(async move {
            let Some((_, what)) = locked(&queue).front().copied() else { return Ok(()) };
            replay.run(ReplayRequest::new(source(what, &world))).await.map_err(|e| e.to_string())?;
            locked(&queue).pop_front();
            if phase == Phase::Settling && what == Replayed::Rejected {
                world.told().replayed = true;
            }
            Ok(())
        })
    }

    fn restarted(&mut self, _: &World, _: &Life) {
        self.replay = None;
    }
}
