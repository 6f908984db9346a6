//! A compactor: plans on a snapshot, writes a file, commits it as the version after.

use super::{Action, Protocol, RECORDS, Rule, Set, State, Version, records};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Compactor {
    Idle,
    /// What it takes and what of it is new, as of version `base`.
    Planned {
        base: usize,
        watermarks: [u8; 2],
        rows: Set,
    },
    Written {
        base: usize,
        watermarks: [u8; 2],
        rows: Set,
    },
}

pub fn actions(protocol: &Protocol, state: &State, who: usize, actions: &mut Vec<Action>) {
    match &state.compactors[who] {
        Compactor::Idle => {
            let watermarks = state.lake[state.lake.len() - 1].watermarks;
            let waits = |partition: &usize| state.landed[*partition].saturating_sub(watermarks[*partition]);
            if protocol.shards[who].iter().any(|partition| waits(partition) > 0) {
                actions.push(Action::Plan(who, true));
            }
            if protocol.shards[who].iter().any(|partition| waits(partition) > 1) {
                actions.push(Action::Plan(who, false));
            }
        }
        Compactor::Planned { .. } => actions.push(Action::Write(who)),
        Compactor::Written { .. } => actions.push(Action::Commit(who)),
    }
    if state.kills > 0 && state.compactors[who] != Compactor::Idle {
        actions.push(Action::KillCompactor(who));
    }
}

pub fn step(protocol: &Protocol, state: &mut State, action: Action) {
    match action {
        Action::Plan(who, all) => state.compactors[who] = plan(protocol, state, who, all),
        Action::Write(who) => {
            if let Compactor::Planned { base, watermarks, rows } = state.compactors[who] {
                state.compactors[who] = Compactor::Written { base, watermarks, rows };
            }
        }
        Action::Commit(who) => {
            if let Compactor::Written { base, watermarks, rows } = state.compactors[who]
                && (base + 1 == state.lake.len() || protocol.rule == Rule::BlindRetry)
            {
                state.lake.push(Version { watermarks, rows });
            }
            // Whoever lost looks again at what there is.
            state.compactors[who] = Compactor::Idle;
        }
        Action::KillCompactor(who) => {
            state.kills -= 1;
            state.compactors[who] = Compactor::Idle;
        }
        _ => {}
    }
}

fn plan(protocol: &Protocol, state: &State, who: usize, all: bool) -> Compactor {
    let base = state.lake.len() - 1;
    let before = state.lake[base].watermarks;
    let mut watermarks = before;
    for partition in &protocol.shards[who] {
        let landed = state.landed[*partition];
        watermarks[*partition] =
            if all { landed.max(before[*partition]) } else { landed.min(before[*partition] + 1).max(before[*partition]) };
    }
    let mut held = match protocol.rule {
        Rule::NoAntiJoin => 0,
        _ => state.lake.iter().fold(0, |held, version| held | super::events(version.rows)),
    };
    let mut rows = 0;
    for record in records(Set::MAX) {
        let (event, partition, offset) = RECORDS[record];
        if (before[partition]..watermarks[partition]).contains(&offset) && held & (1 << event) == 0 {
            held |= 1 << event;
            rows |= 1 << record;
        }
    }
    Compactor::Planned { base, watermarks, rows }
}
