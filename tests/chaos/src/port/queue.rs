//! Notifications of what was written: lost, repeated, and in any order.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::RngExt as _;

use crate::{
    fault::{Boundary, Fault},
    sim::Sim,
};

#[derive(Clone, Debug)]
struct Note {
    id: u64,
    key: String,
    /// Which process has it in hand.
    taken_by: Option<(usize, u64)>,
}

#[derive(Default)]
struct State {
    notes: Vec<Note>,
    next: u64,
    lost: u64,
}

/// What was announced and is not done.
#[derive(Default)]
pub struct Queue(Mutex<State>);

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An object was written.
    pub fn announce(&self, sim: &Sim, key: &str) {
        let copies = if sim.chance(|odds| odds.lose) {
            sim.note(Boundary::Notification, Fault::Lost, key);
            0
        } else if sim.chance(|odds| odds.repeat) {
            sim.note(Boundary::Notification, Fault::Twice, key);
            2
        } else {
            1
        };
        #[cfg(feature = "faults")]
        let copies = if sim.broken(crate::Switch::LoseNotifications) && sim.random(|r| r.random_bool(0.3)) { 0 } else { copies };
        let mut state = self.state();
        if copies == 0 {
            state.lost += 1;
        }
        for _ in 0..copies {
            state.next += 1;
            let id = state.next;
            state.notes.push(Note { id, key: key.to_owned(), taken_by: None });
        }
    }

    /// How many were lost so far.
    pub fn lost(&self) -> u64 {
        self.state().lost
    }

    /// True if nothing waits, and nobody has anything in hand.
    pub fn is_empty(&self) -> bool {
        self.state().notes.is_empty()
    }

    pub fn has_work(&self) -> bool {
        self.state().notes.iter().any(|note| note.taken_by.is_none())
    }

    /// Any of those that wait.
    pub fn take(&self, random: &mut impl rand::Rng, by: (usize, u64)) -> Option<(u64, String)> {
        let mut state = self.state();
        let mut free: Vec<&mut Note> = state.notes.iter_mut().filter(|note| note.taken_by.is_none()).collect();
        if free.is_empty() {
            return None;
        }
        let chosen = random.random_range(0..free.len());
        let note = &mut *free[chosen];
        note.taken_by = Some(by);
        Some((note.id, note.key.clone()))
    }

    /// It is done.
    pub fn done(&self, id: u64) {
        self.state().notes.retain(|note| note.id != id);
    }

    /// It comes again.
    pub fn refuse(&self, id: u64) {
        self.state().notes.iter_mut().filter(|note| note.id == id).for_each(|note| note.taken_by = None);
    }

    /// What a process had in hand comes again.
    pub fn release(&self, by: (usize, u64)) {
        self.state().notes.iter_mut().filter(|note| note.taken_by == Some(by)).for_each(|note| note.taken_by = None);
    }
}
