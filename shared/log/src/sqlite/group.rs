//! Consumer groups within this process: which member holds which partition.
//!
//! The share of each member follows from the members' order alone (partition p goes to member
//! p mod n), so no rounds of agreement are needed. A partition whose batch is being worked on stays
//! with its holder until that is committed or rewound.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use tokio::sync::watch;

use super::topics::{Topic, locked};

/// One holding of a partition: `(partition row, holding number)`. The number tells a partition that
/// came back from one that was never away.
pub(super) type HoldingId = (i64, u64);

#[derive(Debug, Default)]
pub(super) struct Groups(Mutex<HashMap<String, Arc<Group>>>);

impl Groups {
    pub(super) fn get(&self, name: &str) -> Arc<Group> {
        Arc::clone(locked(&self.0).entry(name.to_owned()).or_default())
    }

    /// To be called when topics grew.
    pub(super) fn reassign(&self) {
        let groups: Vec<_> = locked(&self.0).values().cloned().collect();
        for group in groups {
            group.update(|_| {});
        }
    }
}

#[derive(Debug)]
pub(super) struct Group {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

impl Default for Group {
    fn default() -> Self {
        Self { state: Mutex::default(), changed: watch::Sender::new(0) }
    }
}

#[derive(Debug, Default)]
struct State {
    members: BTreeMap<u64, Vec<Arc<Topic>>>,
    /// By partition row.
    holdings: HashMap<i64, Holding>,
    last_number: u64,
}

#[derive(Debug)]
struct Holding {
    member: u64,
    number: u64,
    /// A batch of it is being worked on.
    busy: bool,
}

impl Group {
    /// A new member; watches tell it when the shares changed.
    pub(super) fn join(&self, topics: Vec<Arc<Topic>>) -> (u64, watch::Receiver<u64>) {
        let mut member = 0;
        self.update(|state| {
            state.last_number += 1;
            member = state.last_number;
            state.members.insert(member, topics);
        });
        (member, self.changed.subscribe())
    }

    pub(super) fn leave(&self, member: u64) {
        self.update(|state| {
            state.members.remove(&member);
            state.holdings.retain(|_, h| h.member != member);
        });
    }

    /// What `member` holds, by partition row.
    pub(super) fn holdings(&self, member: u64) -> HashMap<i64, u64> {
        let state = locked(&self.state);
        let mine = state.holdings.iter().filter(|(_, h)| h.member == member);
        mine.map(|(partition, h)| (*partition, h.number)).collect()
    }

    /// Marks a batch as being worked on; false if the partition has gone to another member.
    pub(super) fn begin(&self, (partition, number): HoldingId) -> bool {
        match locked(&self.state).holdings.get_mut(&partition) {
            Some(holding) if holding.number == number => {
                holding.busy = true;
                true
            }
            _ => false,
        }
    }

    /// The batch is done with.
    pub(super) fn finish(&self, (partition, number): HoldingId) {
        let shares_fit = {
            let mut state = locked(&self.state);
            if let Some(holding) = state.holdings.get_mut(&partition)
                && holding.number == number
            {
                holding.busy = false;
            }
            !state.assign()
        };
        if !shares_fit {
            self.changed.send_modify(|n| *n += 1);
        }
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        {
            let mut state = locked(&self.state);
            change(&mut state);
            state.assign();
        }
        self.changed.send_modify(|n| *n += 1);
    }
}

impl State {
    /// Gives every partition to the member whose share it is, unless it is busy elsewhere; returns
    /// whether anything changed.
    fn assign(&mut self) -> bool {
        let mut topics: Vec<&Arc<Topic>> = self.members.values().flatten().collect();
        topics.sort_unstable_by_key(|t| t.id);
        topics.dedup_by_key(|t| t.id);
        let mut changed = false;
        for topic in topics {
            let members: Vec<u64> = self
                .members
                .iter()
                .filter(|(_, subscribed)| subscribed.iter().any(|t| t.id == topic.id))
                .map(|(member, _)| *member)
                .collect();
            for partition in topic.partitions().iter() {
                let member = members[partition.number as usize % members.len()];
                let fits = self.holdings.get(&partition.id).is_some_and(|h| h.busy || h.member == member);
                if !fits {
                    self.last_number += 1;
                    let holding = Holding { member, number: self.last_number, busy: false };
                    self.holdings.insert(partition.id, holding);
                    changed = true;
                }
            }
        }
        changed
    }
}
