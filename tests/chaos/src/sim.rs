//! Whose turn it is, and what becomes of the call that waits for it. All randomness comes from the seed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::sync::{Notify, oneshot};

use crate::{
    fault::{Boundary, Fault, Tally},
    life::{Fate, Life},
    plan::Odds,
};

/// Turns that a paused caller stands still.
const PAUSE: std::ops::Range<u64> = 5..200;
/// Turns after which a late effect takes place.
const LATE: std::ops::Range<u64> = 1..120;

/// A call that waits for its turn.
struct Ticket {
    life: Arc<Life>,
    boundary: Boundary,
    can: &'static [Fault],
    not_before: u64,
    answer: oneshot::Sender<Fate>,
}

/// Something that happens later, unless it dies with who began it.
struct Later {
    not_before: u64,
    life: Option<Arc<Life>>,
    /// The turn at which the run that it comes of began.
    begun: u64,
    effect: Box<dyn FnOnce() + Send>,
}

struct State {
    random: ChaCha8Rng,
    odds: Odds,
    calm: bool,
    turn: u64,
    waiting: Vec<Ticket>,
    later: Vec<Later>,
    /// By actor, the turn at which the run that is under way began.
    runs: BTreeMap<usize, u64>,
    tally: Tally,
    trace: Vec<String>,
}

/// The scheduler's side of every port.
pub struct Sim {
    seed: u64,
    state: Mutex<State>,
    changed: Notify,
    #[cfg(feature = "faults")]
    broken: Option<crate::Switch>,
}

impl Sim {
    pub fn new(seed: u64, odds: Odds, #[cfg(feature = "faults")] broken: Option<crate::Switch>) -> Arc<Self> {
        let state = State {
            random: ChaCha8Rng::seed_from_u64(seed ^ 0x5eed_0f7e_57ed),
            odds,
            calm: false,
            turn: 0,
            waiting: Vec::new(),
            later: Vec::new(),
            runs: BTreeMap::new(),
            tally: Tally::default(),
            trace: Vec::new(),
        };
        Arc::new(Self {
            seed,
            state: Mutex::new(state),
            changed: Notify::new(),
            #[cfg(feature = "faults")]
            broken,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(feature = "faults")]
    pub fn broken(&self, switch: crate::Switch) -> bool {
        self.broken == Some(switch)
    }

    /// A choice by the seed.
    pub fn random<T>(&self, choose: impl FnOnce(&mut ChaCha8Rng) -> T) -> T {
        choose(&mut self.state().random)
    }

    /// True so often, while faults are injected.
    pub fn chance(&self, odds: impl FnOnce(&Odds) -> f64) -> bool {
        let mut state = self.state();
        let odds = odds(&state.odds);
        !state.calm && state.random.random_bool(odds)
    }

    pub fn is_calm(&self) -> bool {
        self.state().calm
    }

    /// From now on nothing goes wrong, and nobody stands still.
    pub fn calm(&self) {
        let mut state = self.state();
        state.calm = true;
        state.waiting.iter_mut().for_each(|t| t.not_before = 0);
        state.later.iter_mut().for_each(|l| l.not_before = 0);
    }

    /// True if nothing waits and nothing is to come.
    pub fn is_quiet(&self) -> bool {
        let state = self.state();
        state.waiting.is_empty() && state.later.is_empty()
    }

    pub fn turn(&self) -> u64 {
        self.state().turn
    }

    pub fn tally(&self) -> Tally {
        self.state().tally.clone()
    }

    pub fn trace(&self) -> Vec<String> {
        self.state().trace.clone()
    }

    pub fn note(&self, boundary: Boundary, fault: Fault, who: &str) {
        let mut state = self.state();
        state.tally.fault(boundary, fault);
        let line = format!("{} {who} {} {}", state.turn, boundary.as_str(), fault.as_str());
        state.trace.push(line);
    }

    pub fn wake(&self) {
        self.changed.notify_one();
    }

    /// Waits until something of a life has changed.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    pub async fn arrive(&self, life: &Arc<Life>, boundary: Boundary, can: &'static [Fault]) -> Fate {
        let (answer, told) = oneshot::channel();
        {
            let mut state = self.state();
            state.tally.call(boundary);
            let mut not_before = 0;
            let pause = state.odds.pause;
            if !state.calm && state.random.random_bool(pause) {
                not_before = state.turn + state.random.random_range(PAUSE);
                state.tally.fault(boundary, Fault::Paused);
            }
            state.waiting.push(Ticket { life: Arc::clone(life), boundary, can, not_before, answer });
        }
        self.wake();
        match told.await {
            Ok(fate) => fate,
            // The life ended while it waited.
            Err(_) => std::future::pending().await,
        }
    }

    /// Forgets what a life waits for, and what it began and has not done.
    pub fn forget(&self, life: &Life) {
        let is = |other: &Arc<Life>| std::ptr::eq(Arc::as_ptr(other), life);
        let mut state = self.state();
        state.waiting.retain(|ticket| !is(&ticket.life));
        state.later.retain(|later| !later.life.as_ref().is_some_and(is));
        drop(state);
        self.wake();
    }

    /// True if a call of this life waits.
    pub fn waits(&self, life: &Arc<Life>) -> bool {
        self.state().waiting.iter().any(|t| Arc::ptr_eq(&t.life, life))
    }

    /// The calls that may have their turn now, by the actor who waits.
    pub fn ready(&self) -> Vec<(usize, usize)> {
        let state = self.state();
        state.waiting.iter().enumerate().filter(|(_, t)| t.not_before <= state.turn).map(|(n, t)| (n, t.life.actor)).collect()
    }

    /// Effects whose time has come take place. If nothing else can happen, time goes on to the next thing that waits.
    pub fn pass_time(&self, idle: bool) {
        let mut state = self.state();
        state.turn += 1;
        let soonest = state.waiting.iter().map(|t| t.not_before).chain(state.later.iter().map(|l| l.not_before)).min();
        if let Some(soonest) = soonest.filter(|_| idle) {
            state.turn = state.turn.max(soonest);
        }
        let turn = state.turn;
        let (due, rest) = std::mem::take(&mut state.later).into_iter().partition(|l| l.not_before <= turn);
        state.later = rest;
        drop(state);
        let due: Vec<Later> = due;
        due.into_iter().for_each(|later| (later.effect)());
    }

    /// Has `effect`, which comes of a call of `life`, take place later; not if it `dies_with` it first.
    pub fn later(&self, life: &Arc<Life>, dies_with: bool, effect: impl FnOnce() + Send + 'static) {
        let mut state = self.state();
        let not_before = if state.calm { 0 } else { state.turn + state.random.random_range(LATE) };
        let begun = state.runs.get(&life.actor).copied().unwrap_or(state.turn);
        state.later.push(Later { not_before, life: dies_with.then(|| Arc::clone(life)), begun, effect: Box::new(effect) });
    }

    /// A run of an actor begins.
    pub fn begin(&self, actor: usize) {
        let mut state = self.state();
        let turn = state.turn;
        state.runs.insert(actor, turn);
    }

    /// It is over, or its process is.
    pub fn end(&self, actor: usize) {
        self.state().runs.remove(&actor);
    }

    /// The turn at or after which everything began that is under way, `but` for what an actor does: runs, and what comes
    /// late of runs that are over. In place of the clock, by which functions tell what nobody can be at any more.
    pub fn under_way_since(&self, but: Option<usize>) -> u64 {
        let state = self.state();
        let runs = state.runs.iter().filter(|(actor, _)| Some(**actor) != but).map(|(_, begun)| *begun);
        runs.chain(state.later.iter().map(|later| later.begun)).min().unwrap_or(u64::MAX)
    }

    /// Gives a waiting call its turn.
    pub fn release(&self, number: usize) -> Arc<Life> {
        let mut state = self.state();
        let ticket = state.waiting.remove(number);
        let fate = state.decide(ticket.boundary, ticket.can);
        let said = match fate {
            Fate::Done => "",
            Fate::Fault(fault) => fault.as_str(),
        };
        let line = format!("{} {} {} {said}", state.turn, ticket.life.name, ticket.boundary.as_str());
        state.trace.push(line);
        drop(state);
        // Who waited may be gone.
        let _ = ticket.answer.send(fate);
        ticket.life
    }

    /// True if a call that takes no turn fails; decided by `words` alone.
    pub fn glance(&self, boundary: Boundary, words: &str) -> bool {
        let mut state = self.state();
        state.tally.call(boundary);
        let mut hash = self.seed ^ 0xcbf2_9ce4_8422_2325;
        for byte in words.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let fails = !state.calm && ((hash >> 11) as f64 / (1_u64 << 53) as f64) < state.odds.glance;
        if fails {
            state.tally.fault(boundary, Fault::NotDone);
        }
        fails
    }
}

impl State {
    fn decide(&mut self, boundary: Boundary, can: &'static [Fault]) -> Fate {
        if self.calm {
            return Fate::Done;
        }
        let fault = if self.random.random_bool(self.odds.kill) {
            if self.random.random_bool(0.5) { Fault::Killed } else { Fault::KilledAfter }
        } else if !can.is_empty() && self.random.random_bool(self.odds.at(boundary)) {
            can[self.random.random_range(0..can.len())]
        } else {
            return Fate::Done;
        };
        self.tally.fault(boundary, fault);
        Fate::Fault(fault)
    }
}
