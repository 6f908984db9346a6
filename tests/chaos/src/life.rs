//! A process: what runs in it calls ports by it, and none of it outlives a kill.

use std::{
    collections::HashMap,
    future::pending,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    fault::{Boundary, Fault},
    sim::Sim,
};

/// How much of an effect takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    Part,
    Whole,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Done,
    Fault(Fault),
}

/// Why a caller has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody knows whether it happened.
    Unknown,
    /// It happened, and the answer says that another was faster.
    Mistaken,
}

/// One process of an actor, from its start to its end.
pub struct Life {
    pub sim: Arc<Sim>,
    /// Which actor's.
    pub actor: usize,
    /// What it is called in traces.
    pub name: String,
    /// How often the actor was started before.
    pub generation: u64,
    dead: AtomicBool,
    /// True while nothing of it runs.
    idle: AtomicBool,
    looks: Mutex<HashMap<String, u64>>,
}

impl Life {
    pub fn new(sim: &Arc<Sim>, actor: usize, name: &str, generation: u64) -> Arc<Self> {
        Arc::new(Self {
            sim: Arc::clone(sim),
            actor,
            name: name.to_owned(),
            generation,
            dead: AtomicBool::new(false),
            idle: AtomicBool::new(true),
            looks: Mutex::default(),
        })
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub fn is_idle(&self) -> bool {
        self.idle.load(Ordering::SeqCst)
    }

    pub fn set_idle(&self, idle: bool) {
        self.idle.store(idle, Ordering::SeqCst);
        self.sim.wake();
    }

    /// The end: whatever it calls from now on has no effect and no answer.
    pub fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.sim.forget(self);
    }

    /// A call that the seed decides on, when its turn has come. `can` are the faults that make sense here beside being
    /// killed or paused. `effect` is what the other side does.
    pub async fn perform<T: Send>(
        self: &Arc<Self>,
        boundary: Boundary,
        can: &'static [Fault],
        mut effect: impl FnMut(Share) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let fate = if self.is_dead() { pending().await } else { self.sim.arrive(self, boundary, can).await };
        match fate {
            Fate::Done => Ok(effect(Share::Whole)),
            Fate::Fault(Fault::Twice) => {
                effect(Share::Whole);
                Ok(effect(Share::Whole))
            }
            Fate::Fault(fault) => {
                match fault {
                    Fault::Unanswered | Fault::Mistaken | Fault::KilledAfter => drop(effect(Share::Whole)),
                    Fault::Part => drop(effect(Share::Part)),
                    Fault::Late => self.sim.later(self, false, move || drop(effect(Share::Whole))),
                    _ => {}
                }
                if matches!(fault, Fault::Killed | Fault::KilledAfter) {
                    self.die();
                    pending::<()>().await;
                }
                Err(if fault == Fault::Mistaken { Failure::Mistaken } else { Failure::Unknown })
            }
        }
    }

    /// A call that takes no turn, because it may come from any thread: true if it fails. What is decided depends on what
    /// is looked at and how often it was, not on when.
    pub fn fails(&self, boundary: Boundary, what: &str) -> bool {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let times = looks.entry(what.to_owned()).or_default();
        *times += 1;
        let words = format!("{}/{}/{}/{what}/{times}", self.actor, self.generation, boundary.as_str());
        drop(looks);
        self.is_dead() || self.sim.glance(boundary, &words)
    }
}
