//! What a seed makes: how much goes wrong, who takes part, how much is sent.

use rand::{RngExt as _, SeedableRng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;

use crate::{fault::Boundary, traffic::Person};

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

/// A person who is to be erased, from a turn on.
#[derive(Clone, Debug)]
pub struct Erasure {
    pub from: u64,
    pub site: usize,
    pub person: Person,
}

/// What is played again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// Rejected records.
    Rejected,
    /// Records of topic `events`: of one partition, the part from so many thousandths on.
    Topic { partition: u32, from: u64 },
    /// Raw objects.
    Raw,
}

/// What a store loses without anybody's call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// A raw object that is not compacted.
    Raw,
    /// Rows of `fresh`.
    Fresh,
    /// Rows of `events`.
    Settled,
    /// Events of the event store.
    Stored,
}

impl Loss {
    /// As often as each is chosen.
    pub const CHOICE: [Self; 5] = [Self::Raw, Self::Fresh, Self::Settled, Self::Settled, Self::Stored];
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
    /// Small files are merged, and what nobody needs any more is removed.
    pub merges: bool,
    pub vacuums: bool,
    /// Events are of a day that does not grow any more: any two files of it are merged.
    pub old: bool,
    /// Who is erased, and by how many processes at once.
    pub erasures: Vec<Erasure>,
    pub erasers: usize,
    /// What is played again while faults are injected, from which turn on.
    pub replays: Vec<(u64, Replayed)>,
    /// Turns from which on everything is compared, while faults are injected.
    pub reconciles: Vec<u64>,
    /// What is lost, and at which turn.
    pub losses: Vec<(u64, Loss)>,
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
        let partitions = random.random_range(1..=3);
        let mut plan = Self {
            odds,
            clients: random.random_range(2..=4),
            requests: random.random_range(3..=8),
            partitions,
            more_partitions: if random.random_bool(0.4) { random.random_range(1..=2) } else { 0 },
            members: random.random_range(1..=2),
            loads: random.random_range(1..=2),
            compactions,
            settlers: random.random_range(1..=2),
            merges: random.random_bool(0.5),
            vacuums: random.random_bool(0.5),
            old: random.random_bool(0.5),
            erasures: erasures(&mut random),
            erasers: if random.random_bool(0.25) { 2 } else { 1 },
            replays: some(&mut random, 0.35, 2, |random| match random.random_range(0..4) {
                0 => Replayed::Raw,
                1 => Replayed::Topic { partition: random.random_range(0..partitions), from: random.random_range(0..1_000) },
                _ => Replayed::Rejected,
            }),
            reconciles: some(&mut random, 0.4, 2, |_| ()).into_iter().map(|(turn, ())| turn).collect(),
            losses: some(&mut random, 0.3, 2, |random| Loss::CHOICE.choose(random).copied().unwrap_or(Loss::Raw)),
            after: random.random_range(0..300),
            longest: 3_000,
        };
        // What ClickHouse loses is restored while everything goes wrong, too.
        let restored = plan.losses.iter().filter(|(_, loss)| *loss == Loss::Settled).map(|(turn, _)| turn + 40);
        plan.reconciles.extend(restored);
        plan.reconciles.sort_unstable();
        plan
    }
}

/// In so many seeds, one to `most` things, each at a turn of its own, in order.
fn some<T>(random: &mut ChaCha8Rng, odds: f64, most: usize, what: impl Fn(&mut ChaCha8Rng) -> T) -> Vec<(u64, T)> {
    let count = if random.random_bool(odds) { random.random_range(1..=most) } else { 0 };
    let mut things: Vec<_> = (0..count).map(|_| (random.random_range(30..900), what(random))).collect();
    things.sort_by_key(|(turn, _)| *turn);
    things
}

fn erasures(random: &mut ChaCha8Rng) -> Vec<Erasure> {
    let of = some(random, 0.5, 2, |random| (random.random_range(0..2), Person::any(random)));
    of.into_iter().map(|(from, (site, person))| Erasure { from, site, person }).collect()
}
