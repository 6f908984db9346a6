//! What becomes of each offset that a commit takes, by partition.

use std::collections::BTreeMap;

use clickstream_lake::{Counts, PlaceCounts, place};

/// Counts of one commit as they are gathered.
pub struct Counted<'a> {
    log_id: &'a str,
    of: BTreeMap<u32, Place>,
}

#[derive(Default)]
struct Place {
    offsets: u64,
    missing: u64,
    dead_letters: u64,
    taken: u64,
    kept: u64,
}

impl<'a> Counted<'a> {
    /// Counts of the log `log_id`.
    pub fn new(log_id: &'a str) -> Self {
        Self { log_id, of: BTreeMap::new() }
    }

    fn place(&mut self, partition: u32) -> &mut Place {
        self.of.entry(partition).or_default()
    }

    /// The partition advances by so many offsets, of which an accepted gap leaves so many out.
    pub fn offsets(&mut self, partition: u32, offsets: u64, missing: u64) {
        let place = self.place(partition);
        (place.offsets, place.missing) = (offsets, missing);
    }

    /// Records that are no event.
    pub fn dead_letters(&mut self, partition: u32, count: u64) {
        self.place(partition).dead_letters += count;
    }

    /// Events before repeats are left out, by the partition of each.
    pub fn taken(&mut self, partitions: BTreeMap<u32, u64>) {
        partitions.into_iter().for_each(|(partition, rows)| self.place(partition).taken += rows);
    }

    /// Events that are appended, by the partition of each.
    pub fn kept(&mut self, partitions: BTreeMap<u32, u64>) {
        partitions.into_iter().for_each(|(partition, rows)| self.place(partition).kept += rows);
    }

    /// What the commit says. Offsets that raw objects hold no record of, or whose event was dropped before repeats were
    /// looked for, were erased.
    pub fn counts(&self) -> Counts {
        let of = |place: &Place| PlaceCounts {
            rows: place.kept,
            duplicates: place.taken - place.kept,
            dead_letters: place.dead_letters,
            missing: place.missing,
            erased: place.offsets.saturating_sub(place.missing + place.dead_letters + place.taken),
            ..PlaceCounts::default()
        };
        self.of.iter().map(|(partition, counted)| (place(self.log_id, *partition), of(counted))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_becomes_something() {
        let mut counted = Counted::new("l");
        counted.offsets(3, 20, 4);
        counted.dead_letters(3, 2);
        counted.taken([(3, 11)].into());
        counted.kept([(3, 6)].into());
        let counts = counted.counts()["l/3"];
        let wanted = PlaceCounts { since: 0, rows: 6, duplicates: 5, dead_letters: 2, missing: 4, erased: 3, expired: 0 };
        assert_eq!((counts, counts.total()), (wanted, 20));
    }
}
