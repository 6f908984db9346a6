//! What ClickHouse shows.

use std::collections::BTreeMap;

use super::{RECORDS, Set, State, records};

/// The load that counts for each settled version: the smallest.
pub fn counted(state: &State) -> BTreeMap<usize, usize> {
    let mut counted = BTreeMap::new();
    for (version, load) in &state.commits {
        let least = counted.entry(*version).or_insert(*load);
        *least = (*least).min(*load);
    }
    counted
}

/// Events that are settled.
pub fn settled(state: &State) -> Set {
    counted(state).into_values().fold(0, |settled, load| settled | super::events(state.loads[load].rows))
}

/// The events that the view `clicks` shows, and whether it shows one twice.
pub fn shown(state: &State) -> (Set, bool) {
    let counted = counted(state);
    let (mut shown, mut twice): (Set, bool) = (0, false);
    let mut show = |event: u8| {
        twice |= shown & (1 << event) != 0;
        shown |= 1 << event;
    };
    counted.values().flat_map(|load| records(state.loads[*load].rows)).for_each(|record| show(RECORDS[record].0));
    let watermarks = counted.keys().last().map_or([0; 2], |newest| state.lake[*newest].watermarks);
    let settled = settled(state);
    // FINAL keeps the copy received first; the filter on offsets comes after it.
    let mut seen: Set = 0;
    for record in records(state.fresh) {
        let (event, partition, offset) = RECORDS[record];
        let first = seen & (1 << event) == 0;
        seen |= 1 << event;
        if first && offset >= watermarks[partition] && settled & (1 << event) == 0 {
            show(event);
        }
    }
    (shown, twice)
}
