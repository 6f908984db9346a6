//! What a seed makes: how much goes wrong, who takes part, how much is sent.

use rand::{RngExt as _, SeedableRng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;

use crate::fault::Boundary;

/// How often what goes wrong.
#[derive(Clone, Debug)]
pub struct Odds {
    /// A call fails in some way.
    fault: f64,
    /// Where calls fail more often than elsewhere, and how often.
    weak: Option<(Boundary, f64)>,
    /// A call's process is killed.
    pub kill: f64,
    /// A call stands still for long.
    pub pause: f64,
    /// A read of the lake's log fails.
    pub glance: f64,
    /// A notification is lost.
    pub lose: f64,
    /// A notification comes twice.
    pub repeat: f64,
    /// A partition moves to another member of its group, per turn.
    pub moves: f64,
}

impl Odds {
    pub fn at(&self, boundary: Boundary) -> f64 {
        match self.weak {
            Some((weak, odds)) if weak == boundary => odds,
            _ => self.fault,
        }
    }
}

/// A run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub odds: Odds,
    /// Clients, each on a host of its own.
    pub clients: usize,
    /// Requests of each.
    pub requests: usize,
    /// Partitions of the topic of events, and how many more there are later.
    pub partitions: u32,
    pub more_partitions: u32,
    /// Members of each consumer group.
    pub members: usize,
    /// Loads at once.
    pub loads: usize,
    /// Each compaction's shard and the number of shards; several may share one.
    pub compactions: Vec<(u32, u32)>,
    /// Settlers at once.
    pub settlers: usize,
    /// Turns with faults after the last request was answered.
    pub after: u64,
    /// Turns with faults at most.
    pub longest: u64,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut one_of = |odds: &[f64]| odds.choose(&mut random).copied().unwrap_or(0.0);
        let mut odds = Odds {
            fault: one_of(&[0.0, 0.02, 0.05, 0.1, 0.2]),
            weak: None,
            kill: one_of(&[0.0, 0.005, 0.02, 0.05]),
            pause: one_of(&[0.0, 0.02, 0.1]),
            glance: one_of(&[0.0, 0.0, 0.002, 0.01]),
            lose: one_of(&[0.0, 0.0, 0.1, 0.5]),
            repeat: one_of(&[0.0, 0.1, 0.3]),
            moves: one_of(&[0.0, 0.01, 0.05]),
        };
        if random.random_bool(0.5) {
            odds.weak = Boundary::ALL.choose(&mut random).map(|weak| (*weak, 0.5));
        }
        let compactions = match random.random_range(0..4) {
            0 => vec![(0, 1), (0, 1)],
            1 => vec![(0, 2), (1, 2)],
            2 => vec![(0, 2), (1, 2), (0, 2)],
            _ => vec![(0, 1), (0, 2), (1, 2)],
        };
        Self {
            odds,
            clients: random.random_range(2..=4),
            requests: random.random_range(3..=8),
            partitions: random.random_range(1..=3),
            more_partitions: if random.random_bool(0.4) { random.random_range(1..=2) } else { 0 },
            members: random.random_range(1..=2),
            loads: random.random_range(1..=2),
            compactions,
            settlers: random.random_range(1..=2),
            after: random.random_range(0..300),
            longest: 3_000,
        }
    }
}
