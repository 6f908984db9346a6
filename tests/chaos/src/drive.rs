//! Gives turns: to a run that begins, or to a call that waits; to one at a time.

use std::{sync::Arc, time::Duration};

use rand::{RngExt as _, seq::IndexedRandom as _};
use tokio::{
    task::{JoinHandle, yield_now},
    time::timeout,
};

use crate::{
    actor::Actor,
    check::{Promise, Violation, Watch},
    fault::{Boundary, Fault},
    life::Life,
    plan::Loss,
    world::{Phase, World},
};

/// A run that does nothing for so long is stuck.
const STUCK: Duration = Duration::from_secs(30);
/// Polls after which whatever a call's end set going has come to its next call.
const POLLS: u32 = 3;
/// Turns between two changes of who is favoured.
const FAVOUR: u64 = 40;
/// Runs of one actor that may fail while nothing goes wrong: others may commit first.
const FAILURES: u32 = 100;

/// An actor in its present process.
struct Place {
    actor: Box<dyn Actor>,
    life: Arc<Life>,
    task: Option<JoinHandle<Result<(), String>>>,
    /// How often it is chosen against others.
    weight: u32,
    failures: u32,
}

/// Whose turn it is.
enum Turn {
    Begin(usize),
    Release(usize),
}

/// Everybody, and the world.
pub struct Drive {
    world: Arc<World>,
    places: Vec<Place>,
    /// What is lost at which turn.
    losses: Vec<(u64, Loss)>,
    watch: Watch,
}

impl Drive {
    pub fn new(world: &Arc<World>, cast: Vec<Box<dyn Actor>>, losses: &[(u64, Loss)]) -> Self {
        let place = |(number, actor): (usize, Box<dyn Actor>)| {
            let life = Life::new(&world.sim, number, &actor.name(), 0);
            Place { actor, life, task: None, weight: 1, failures: 0 }
        };
        let places = cast.into_iter().enumerate().map(place).collect();
        Self { world: Arc::clone(world), places, losses: losses.to_vec(), watch: Watch::default() }
    }

    /// True when every request was answered.
    pub fn clients_are_done(&self) -> bool {
        let busy = |place: &Place| place.actor.is_client() && (place.task.is_some() || place.actor.wants(&self.world));
        !self.places.iter().any(busy)
    }

    /// Gives turns until nothing is left to do in this phase, or `end` says so.
    pub async fn go(&mut self, phase: Phase, mut end: impl FnMut(&Self) -> bool) -> Result<(), Violation> {
        self.world.enter(phase);
        while !end(self) {
            let turn = self.choose(phase);
            self.world.sim.pass_time(turn.is_none());
            self.watch.look(&self.world)?;
            match turn {
                None if self.is_over() => return Ok(()),
                None => {}
                Some(turn) => self.take(turn).await?,
            }
            self.mishaps().await;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.places.iter().all(|place| place.task.is_none()) && self.world.sim.is_quiet()
    }

    fn choose(&mut self, phase: Phase) -> Option<Turn> {
        let sim = &self.world.sim;
        if sim.turn().is_multiple_of(FAVOUR) {
            for place in &mut self.places {
                place.weight = sim.random(|random| *[1, 1, 3, 10, 30].choose(random).unwrap_or(&1));
            }
        }
        let begins = |place: &Place| place.task.is_none() && place.actor.begins_in(phase) && place.actor.wants(&self.world);
        let mut turns: Vec<(Turn, u32)> = Vec::new();
        for (number, place) in self.places.iter().enumerate().filter(|(_, place)| begins(place)) {
            turns.push((Turn::Begin(number), place.weight));
        }
        for (ticket, actor) in sim.ready() {
            turns.push((Turn::Release(ticket), self.places[actor].weight));
        }
        let sum: u32 = turns.iter().map(|(_, weight)| weight).sum();
        let mut at = if sum == 0 { 0 } else { sim.random(|random| random.random_range(0..sum)) };
        for (turn, weight) in turns {
            if at < weight {
                return Some(turn);
            }
            at -= weight;
        }
        None
    }

    async fn take(&mut self, turn: Turn) -> Result<(), Violation> {
        let life = match turn {
            Turn::Begin(number) => self.begin(number),
            Turn::Release(ticket) => {
                let life = self.world.sim.release(ticket);
                life.set_idle(false);
                life
            }
        };
        if timeout(STUCK, rest(&life)).await.is_err() {
            return Err(Violation::new(Promise::Ends, format!("{} does nothing, and does not end", life.name)));
        }
        self.reap(life.actor).await
    }

    fn begin(&mut self, number: usize) -> Arc<Life> {
        let place = &mut self.places[number];
        let life = Arc::clone(&place.life);
        life.set_idle(false);
        life.sim.begin(number);
        let (run, of) = (place.actor.run(&self.world, &life), Arc::clone(&life));
        place.task = Some(tokio::spawn(async move {
            let _at_end = Idle(of);
            run.await
        }));
        life
    }

    /// Sees to a process that was killed, and to a run that has come to its end.
    async fn reap(&mut self, number: usize) -> Result<(), Violation> {
        let place = &mut self.places[number];
        if place.life.is_dead() {
            self.restart(number).await;
            return Ok(());
        }
        if !place.life.is_idle() {
            return Ok(());
        }
        let Some(task) = place.task.take() else { return Ok(()) };
        place.life.sim.end(number);
        let ended = task.await.map_err(|error| Violation::new(Promise::Ends, format!("{} ended by {error}", place.life.name)))?;
        match ended {
            Ok(()) => place.failures = 0,
            Err(error) if self.world.sim.is_calm() => {
                place.failures += 1;
                if place.failures > FAILURES {
                    return Err(Violation::new(Promise::Ends, format!("{} fails for ever: {error}", place.life.name)));
                }
            }
            Err(_) => {}
        }
        Ok(())
    }

    async fn restart(&mut self, number: usize) {
        let place = &mut self.places[number];
        place.life.die();
        place.life.sim.end(number);
        if let Some(task) = place.task.take() {
            task.abort();
            // Its end is what was asked for.
            let _ = task.await;
        }
        place.actor.restarted(&self.world, &place.life);
        place.life = Life::new(&self.world.sim, number, &place.life.name, place.life.generation + 1);
    }

    /// What goes wrong without anybody's call.
    async fn mishaps(&mut self) {
        let sim = Arc::clone(&self.world.sim);
        if sim.chance(|odds| odds.kill / 2.0) {
            let number = sim.random(|random| random.random_range(0..self.places.len()));
            if self.places[number].task.is_none() {
                sim.note(Boundary::Idle, Fault::Killed, &self.places[number].life.name);
                self.restart(number).await;
            }
        }
        while !sim.is_calm() && self.losses.first().is_some_and(|(turn, _)| sim.turn() >= *turn) {
            let (_, loss) = self.losses.remove(0);
            self.lose(loss);
        }
        if sim.chance(|odds| odds.moves) && sim.random(|random| self.world.log.reassign(random)) {
            sim.note(Boundary::LogRead, Fault::Moved, "a partition");
        }
    }
}

impl Drive {
    /// A store loses something.
    fn lose(&self, loss: Loss) {
        let (world, sim) = (&self.world, &self.world.sim);
        let lost = sim.random(|random| match loss {
            Loss::Raw => world.lose_raw(random),
            Loss::Fresh => world.tables.lose_fresh(random),
            Loss::Settled => world.tables.lose_settled(random),
            Loss::Stored => world.shelf.lose(random),
        });
        if lost {
            world.tables.note_loss();
            sim.note(Boundary::Idle, Fault::Lost, &format!("{loss:?}"));
        }
    }
}

/// Tells when a run is over, however it ends.
struct Idle(Arc<Life>);

impl Drop for Idle {
    fn drop(&mut self) {
        self.0.set_idle(true);
    }
}

/// Waits until a process has come to its next call, or to its end.
async fn rest(life: &Arc<Life>) {
    let mut polls = 0;
    loop {
        if life.is_dead() || life.is_idle() {
            return;
        }
        if life.sim.waits(life) {
            if polls >= POLLS {
                return;
            }
            polls += 1;
            yield_now().await;
        } else {
            polls = 0;
            life.sim.changed().await;
        }
    }
}
