//! A model of the commit protocol, checked in every order of its steps.
//!
//! Two compactors and two settlers work on raw objects of two partitions that hold three records: event 0, event 1, and,
//! in the other partition, a late repeat of event 0. Whoever acts may be killed between any two steps, and what it had
//! sent may arrive after its end.

mod clicks;
mod compactor;
mod settler;

use stateright::{Checker as _, Model, Property};

use compactor::Compactor;
use settler::Settler;

/// Records by number: their event, partition and offset. Events are received in this order.
const RECORDS: [(u8, usize, u8); 3] = [(0, 0, 0), (1, 0, 1), (0, 1, 0)];
/// How many records each partition gets.
const ENDS: [u8; 2] = [2, 1];

/// A set of records or events, one bit each.
type Set = u8;

/// A step that is done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// None.
    Right,
    /// A commit that lost is written as the next version, as it was computed.
    BlindRetry,
    /// Rows are not compared with what the lake holds.
    NoAntiJoin,
    /// The row in `commits` is written before the version's rows.
    RowBeforeRows,
    /// A load's rows are not counted.
    NoCount,
}

/// Compactors and settlers under one rule.
#[derive(Clone, Debug)]
struct Protocol {
    rule: Rule,
    /// The partitions of each compactor.
    shards: [Vec<usize>; 2],
    kills: u8,
}

/// One version of the lake.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Version {
    watermarks: [u8; 2],
    rows: Set,
}

/// One load of ClickHouse's `events`; they are begun in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Load {
    version: usize,
    rows: Set,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    /// Next offset of each partition in raw/.
    landed: [u8; 2],
    /// Records in `fresh`.
    fresh: Set,
    lake: Vec<Version>,
    compactors: [Compactor; 2],
    loads: Vec<Load>,
    /// Rows of `commits`: version and load.
    commits: Vec<(usize, usize)>,
    settlers: [Settler; 2],
    /// A row of `commits` that is still on its way.
    late: Option<(usize, usize)>,
    kills: u8,
    /// Events that `clicks` has shown.
    shown: Set,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Action {
    /// The next record of a partition becomes a raw object.
    Land(usize),
    /// A raw object's record is loaded.
    Fresh(usize),
    /// A compactor plans: one record of each of its partitions, or all that is landed.
    Plan(usize, bool),
    Write(usize),
    Commit(usize),
    KillCompactor(usize),
    Begin(usize),
    Insert(usize),
    /// Only the first of a version's rows arrives.
    InsertPart(usize),
    Check(usize),
    WriteRow(usize),
    /// Killed; true: the row that it was about to write arrives all the same.
    KillSettler(usize, bool),
    Arrive,
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            landed: [0; 2],
            fresh: 0,
            lake: vec![Version { watermarks: [0; 2], rows: 0 }],
            compactors: [const { Compactor::Idle }; 2],
            loads: Vec::new(),
            commits: Vec::new(),
            settlers: [Settler::Idle; 2],
            late: None,
            kills: self.kills,
            shown: 0,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for partition in 0..2 {
            if state.landed[partition] < ENDS[partition] {
                actions.push(Action::Land(partition));
            }
        }
        for (record, (_, partition, offset)) in RECORDS.iter().enumerate() {
            if state.landed[*partition] > *offset && state.fresh & (1 << record) == 0 {
                actions.push(Action::Fresh(record));
            }
        }
        for who in 0..2 {
            compactor::actions(self, state, who, actions);
            settler::actions(state, who, actions);
        }
        if state.late.is_some() {
            actions.push(Action::Arrive);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Land(partition) => state.landed[partition] += 1,
            Action::Fresh(record) => state.fresh |= 1 << record,
            Action::Arrive => {
                let row = state.late.take()?;
                state.commits.push(row);
            }
            Action::Plan(..) | Action::Write(_) | Action::Commit(_) | Action::KillCompactor(_) => compactor::step(self, &mut state, action),
            _ => settler::step(self, &mut state, action),
        }
        state.shown |= clicks::shown(&state).0;
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always("the lake holds each event once", |_, state| {
                let mut held: Set = 0;
                state.lake.iter().flat_map(|version| records(version.rows)).all(|record| {
                    let again = held & (1 << RECORDS[record].0) != 0;
                    held |= 1 << RECORDS[record].0;
                    !again
                })
            }),
            Property::<Self>::always("watermarks pass nothing that the lake does not hold, and never go back", |_, state| {
                let mut held: Set = 0;
                let grows = state.lake.windows(2).all(|pair| (0..2).all(|p| pair[0].watermarks[p] <= pair[1].watermarks[p]));
                grows
                    && state.lake.iter().all(|version| {
                        held |= events(version.rows);
                        (0..RECORDS.len()).all(|record| {
                            let (event, partition, offset) = RECORDS[record];
                            version.watermarks[partition] <= offset || held & (1 << event) != 0
                        })
                    })
            }),
            Property::<Self>::always("versions are settled in order, each with all of its rows", |_, state| {
                let in_order = state
                    .commits
                    .iter()
                    .enumerate()
                    .all(|(at, (version, _))| *version == 0 || state.commits[..at].iter().any(|(before, _)| before + 1 == *version));
                in_order && clicks::counted(state).into_iter().all(|(version, load)| state.loads[load].rows == state.lake[version].rows)
            }),
            Property::<Self>::always("clicks shows no event twice", |_, state| !clicks::shown(state).1),
            Property::<Self>::always("clicks goes on to show what it has shown", |_, state| state.shown & !clicks::shown(state).0 == 0),
            Property::<Self>::eventually("everything is settled", |_, state| {
                let last = &state.lake[state.lake.len() - 1];
                last.watermarks == ENDS && clicks::settled(state) == events(Set::MAX >> (8 - RECORDS.len()))
            }),
            Property::<Self>::sometimes("a compactor loses to another", |_, state| {
                let base = |compactor: &Compactor| if let Compactor::Written { base, .. } = compactor { Some(*base) } else { None };
                state.compactors.iter().filter_map(base).any(|base| base + 1 < state.lake.len())
            }),
            Property::<Self>::sometimes("a version is loaded twice", |_, state| {
                state.commits.iter().any(|(version, load)| state.commits.iter().any(|(v, l)| v == version && l != load))
            }),
        ]
    }
}

/// The numbers of the records in a set.
fn records(set: Set) -> impl Iterator<Item = usize> {
    (0..RECORDS.len()).filter(move |record| set & (1 << record) != 0)
}

/// The events of the records in a set.
fn events(set: Set) -> Set {
    records(set).fold(0, |events, record| events | 1 << RECORDS[record].0)
}

fn check(rule: Rule, shards: [Vec<usize>; 2], kills: u8) -> impl stateright::Checker<Protocol> {
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    let checker = Protocol { rule, shards, kills }.checker().threads(threads);
    let broken = stateright::HasDiscoveries::AnyFailures;
    let checker = if rule == Rule::Right { checker } else { checker.finish_when(broken) };
    checker.spawn_bfs().join()
}

#[test]
fn the_protocol_holds_in_every_order_of_its_steps() {
    for (shards, kills) in [([vec![0, 1], vec![0, 1]], 1), ([vec![0], vec![1]], 1), ([vec![0, 1], vec![1]], 1)] {
        let checked = check(Rule::Right, shards, kills);
        println!(
            "{} states, {} of them different, {} steps deep",
            checked.state_count(),
            checked.unique_state_count(),
            checked.max_depth()
        );
        checked.assert_properties();
    }
}

#[test]
fn each_broken_rule_is_found_out() {
    for (rule, promise) in [
        (Rule::BlindRetry, "the lake holds each event once"),
        (Rule::NoAntiJoin, "the lake holds each event once"),
        (Rule::RowBeforeRows, "versions are settled in order, each with all of its rows"),
        (Rule::NoCount, "versions are settled in order, each with all of its rows"),
    ] {
        let checked = check(rule, [vec![0, 1], vec![0, 1]], 1);
        let found = checked.discoveries();
        let broken: Vec<_> =
            found.keys().copied().filter(|name| checked.model().property(name).expectation.discovery_is_failure()).collect();
        println!("{rule:?}: {broken:?}");
        assert!(!broken.is_empty(), "{rule:?} breaks nothing");
        let steps = check_for(rule, promise);
        println!("{promise}: {steps:?}");
    }
}

/// The steps by which a rule breaks a promise.
fn check_for(rule: Rule, promise: &'static str) -> Vec<Action> {
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    let protocol = Protocol { rule, shards: [vec![0, 1], vec![0, 1]], kills: 1 };
    let wanted = stateright::HasDiscoveries::AnyOf([promise].into());
    protocol.checker().threads(threads).finish_when(wanted).spawn_bfs().join().assert_any_discovery(promise).into_actions()
}
