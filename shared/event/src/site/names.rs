//! The names of properties that a site keeps.
//!
//! Names are made by whoever sends: one that puts an id into a name would make millions. The first so many are kept.

use std::{
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, PoisonError, RwLock},
};

/// At most so many distinct names, first come, first served. Clones share what they have seen.
#[derive(Clone, Debug)]
pub struct PropertyNames {
    most: usize,
    seen: Arc<Seen>,
}

/// Hashes stand for names, so that a long name takes no more room than a short one.
#[derive(Debug, Default)]
struct Seen {
    hasher: RandomState,
    names: RwLock<HashSet<u64>>,
}

impl PropertyNames {
    /// Room for `most` names.
    pub fn new(most: usize) -> Self {
        Self { most, seen: Arc::default() }
    }

    /// How many names there is room for.
    pub fn most(&self) -> usize {
        self.most
    }

    /// True if `name` is among the names kept, or there is room for it still.
    pub fn admit(&self, name: &str) -> bool {
        let hash = self.seen.hasher.hash_one(name);
        let known = self.seen.names.read().unwrap_or_else(PoisonError::into_inner);
        if known.contains(&hash) || known.len() >= self.most {
            return known.contains(&hash);
        }
        drop(known);
        let mut names = self.seen.names.write().unwrap_or_else(PoisonError::into_inner);
        names.contains(&hash) || (names.len() < self.most && names.insert(hash))
    }

    /// Keeps `names` in any case.
    pub(super) fn reserve<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let mut seen = self.seen.names.write().unwrap_or_else(PoisonError::into_inner);
        seen.extend(names.map(|name| self.seen.hasher.hash_one(name)));
    }

    /// Goes on with the names that an earlier table of sites has seen.
    pub(super) fn adopt(&mut self, earlier: &Self) {
        self.seen = Arc::clone(&earlier.seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_names_are_kept_and_later_ones_are_not() {
        let names = PropertyNames::new(2);
        assert!(names.admit("a") && names.admit("b") && names.admit("a"));
        assert!(!names.admit("c"));
        let mut wider = PropertyNames::new(3);
        wider.adopt(&names);
        assert!(wider.admit("a") && wider.admit("c") && !wider.admit("d"));
        // A narrower one keeps what is known already.
        let mut narrower = PropertyNames::new(1);
        narrower.adopt(&wider);
        assert!(narrower.admit("b") && !narrower.admit("d"));
        narrower.reserve(["d"].into_iter());
        assert!(narrower.admit("d") && !narrower.admit("e"));
    }
}
