//! A settler: loads the version after the newest, counts its rows, and writes its row in `commits`.

use super::{Action, Load, Protocol, Rule, Set, State};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settler {
    Idle,
    /// A load was begun.
    Loading {
        load: usize,
    },
    /// Its rows were sent.
    Loaded {
        load: usize,
    },
    /// They are all there, and the version before is settled: the row may be written.
    Checked {
        load: usize,
    },
}

fn newest(state: &State) -> Option<usize> {
    state.commits.iter().map(|(version, _)| *version).max()
}

fn next(state: &State) -> Option<usize> {
    let next = newest(state).map_or(0, |newest| newest + 1);
    (next < state.lake.len()).then_some(next)
}

pub fn actions(state: &State, who: usize, actions: &mut Vec<Action>) {
    match state.settlers[who] {
        Settler::Idle => {
            if next(state).is_some() {
                actions.push(Action::Begin(who));
            }
            return;
        }
        Settler::Loading { load } => {
            actions.push(Action::Insert(who));
            if state.kills > 0 && state.lake[state.loads[load].version].rows.count_ones() > 1 {
                actions.push(Action::InsertPart(who));
            }
        }
        Settler::Loaded { .. } => actions.push(Action::Check(who)),
        Settler::Checked { .. } => {
            actions.push(Action::WriteRow(who));
            if state.kills > 0 && state.late.is_none() {
                actions.push(Action::KillSettler(who, true));
            }
        }
    }
    if state.kills > 0 {
        actions.push(Action::KillSettler(who, false));
    }
}

pub fn step(protocol: &Protocol, state: &mut State, action: Action) {
    match action {
        Action::Begin(who) => {
            if let Some(version) = next(state) {
                state.loads.push(Load { version, rows: 0 });
                let load = state.loads.len() - 1;
                state.settlers[who] = if protocol.rule == Rule::RowBeforeRows {
                    state.commits.push((version, load));
                    Settler::Checked { load }
                } else {
                    Settler::Loading { load }
                };
            }
        }
        Action::Insert(who) => insert(state, who, Set::MAX),
        Action::InsertPart(who) => {
            state.kills -= 1;
            let Settler::Loading { load } = state.settlers[who] else { return };
            let rows = state.lake[state.loads[load].version].rows;
            insert(state, who, 1 << rows.trailing_zeros());
        }
        Action::Check(who) => {
            let Settler::Loaded { load } = state.settlers[who] else { return };
            let version = state.loads[load].version;
            let whole = state.loads[load].rows == state.lake[version].rows || protocol.rule == Rule::NoCount;
            let turn = newest(state).map_or(0, |newest| newest + 1) == version;
            // Otherwise another was faster, or the load is abandoned.
            state.settlers[who] = if whole && turn { Settler::Checked { load } } else { Settler::Idle };
        }
        Action::WriteRow(who) => {
            let Settler::Checked { load } = state.settlers[who] else { return };
            if protocol.rule == Rule::RowBeforeRows {
                state.loads[load].rows = state.lake[state.loads[load].version].rows;
            } else {
                state.commits.push((state.loads[load].version, load));
            }
            state.settlers[who] = Settler::Idle;
        }
        Action::KillSettler(who, late) => {
            state.kills -= 1;
            if let (true, Settler::Checked { load }) = (late, state.settlers[who]) {
                state.late = Some((state.loads[load].version, load));
            }
            state.settlers[who] = Settler::Idle;
        }
        _ => {}
    }
}

fn insert(state: &mut State, who: usize, only: Set) {
    let Settler::Loading { load } = state.settlers[who] else { return };
    let version = state.loads[load].version;
    state.loads[load].rows = state.lake[version].rows & only;
    state.settlers[who] = Settler::Loaded { load };
}
