//! A model of the commit protocol, checked in every order of its steps.
//!
//! Compactors and settlers, one or two of each, work on raw objects of two partitions that hold three records: event 0, event 1, and,
//! in the other partition, a late repeat of event 0. Whoever acts may be killed between any two steps, and what it had
//! sent may arrive after its end.

mod clicks;
mod compactor;
mod settler;

use stateright::{Checker as _, HasDiscoveries, Model, Property};

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
    settlers: usize,
    /// Everything is landed before anybody begins.
    landed: bool,
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
            landed: if self.landed { ENDS } else { [0; 2] },
            fresh: 0,
            lake: vec![Version { watermarks: [0; 2], rows: 0 }],
            compactors: [const { Compactor::Idle }; 2],
            // The table was made, and that is settled.
            loads: vec![Load { version: 0, rows: 0 }],
            commits: vec![(0, 0)],
            settlers: [Settler::Idle; 2],
            late: None,
            kills: self.kills,
            shown: 0,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (partition, end) in ENDS.iter().enumerate() {
            if state.landed[partition] < *end {
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
        }
        for who in 0..self.settlers {
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

impl Protocol {
    fn new(rule: Rule, shards: [&[usize]; 2], settlers: usize, landed: bool, kills: u8) -> Self {
        Self { rule, shards: shards.map(<[usize]>::to_vec), settlers, landed, kills }
    }

    /// Checks every state that can be reached.
    fn holds(self) {
        let checked = self.checker().threads(threads()).spawn_bfs().join();
        println!("{:?}: {} states, {} steps deep", checked.model(), checked.unique_state_count(), checked.max_depth());
        checked.assert_properties();
    }

    /// The steps by which a promise is broken.
    fn breaks(self, promise: &'static str) {
        let found = self.checker().threads(threads()).finish_when(HasDiscoveries::AnyOf([promise].into())).spawn_bfs().join();
        println!("{:?}, {promise}: {:?}", found.model().rule, found.assert_any_discovery(promise).into_actions());
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

const ALL: &[usize] = &[0, 1];

#[test]
fn two_compactors_on_the_same_shard_and_a_settler_keep_every_promise() {
    Protocol::new(Rule::Right, [ALL, ALL], 1, false, 1).holds();
}

#[test]
fn two_compactors_on_shards_of_their_own_and_a_settler_keep_every_promise() {
    Protocol::new(Rule::Right, [&[0], &[1]], 1, false, 1).holds();
}

#[test]
fn a_compactor_and_two_settlers_keep_every_promise() {
    Protocol::new(Rule::Right, [ALL, &[]], 2, true, 1).holds();
}

#[test]
fn each_broken_rule_is_found_out() {
    for (rule, promise) in [
        (Rule::BlindRetry, "the lake holds each event once"),
        (Rule::NoAntiJoin, "the lake holds each event once"),
        (Rule::NoAntiJoin, "clicks shows no event twice"),
        (Rule::RowBeforeRows, "clicks goes on to show what it has shown"),
        (Rule::NoCount, "versions are settled in order, each with all of its rows"),
    ] {
        Protocol::new(rule, [ALL, ALL], 1, false, 1).breaks(promise);
    }
}
