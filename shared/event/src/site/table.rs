//! The table of sites that every part holds.

use std::sync::{Arc, PoisonError, RwLock};

use subtle::ConstantTimeEq;

use super::{Site, VisitorSecret, is_site_id};

type Table = Arc<Vec<Arc<Site>>>;

/// All sites. Cheap to clone; clones share the table, so that all see it replaced at once.
#[derive(Clone, Debug)]
pub struct Sites(Arc<RwLock<Table>>);

impl Sites {
    /// The sites given.
    pub fn new(sites: Vec<Site>) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(sites.into_iter().map(Arc::new).collect()))))
    }

    /// Puts the sites of `other` in place of these, for whoever holds a clone, from the next look-up on. A site that
    /// stays keeps the names of properties that it has seen.
    pub fn replace(&self, other: Self) {
        let earlier = self.table();
        let sites = other.iter().map(|site| {
            let seen = earlier.iter().find(|s| s.site_id == site.site_id).and_then(|s| s.property_names.as_ref());
            let mut site = Arc::unwrap_or_clone(site);
            if let (Some(names), Some(seen)) = (&mut site.property_names, seen) {
                names.adopt(seen);
                names.reserve(site.schemas.names());
            }
            Arc::new(site)
        });
        let table = Arc::new(sites.collect());
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = table;
    }

    /// These sites with `secret` for the daily ids of those that are cookieless.
    #[must_use]
    pub fn with_visitor_secret(self, secret: &VisitorSecret) -> Self {
        let sites = self.iter().map(|site| Site { visitor_secret: secret.clone(), ..Arc::unwrap_or_clone(site) });
        Self::new(sites.collect())
    }

    /// The site that `key` may write to. Every key is compared in constant time.
    pub fn by_write_key(&self, key: &str) -> Option<Arc<Site>> {
        let mut found = None;
        for site in self.table().iter() {
            for candidate in &site.write_keys {
                if bool::from(candidate.as_bytes().ct_eq(key.as_bytes())) {
                    found = Some(Arc::clone(site));
                }
            }
        }
        found
    }

    /// The site named `site_id`.
    pub fn by_id(&self, site_id: &str) -> Option<Arc<Site>> {
        self.table().iter().find(|s| s.site_id == site_id).cloned()
    }

    /// Every site, as of now.
    pub fn iter(&self) -> impl Iterator<Item = Arc<Site>> + use<> {
        let table = self.table();
        (0..table.len()).map(move |index| Arc::clone(&table[index]))
    }

    fn table(&self) -> Table {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sites that cannot be read.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SitesError {
    /// The list is no list of pairs.
    #[error("SITES={0:?} is wrong: it lists pairs of site and write key such as shop:k3y,blog:0th3r")]
    List(String),
    /// A line of the file is wrong. The message holds no write key.
    #[error("line {line}: {what}")]
    File {
        /// The line, from 1.
        line: usize,
        /// The key that is wrong, why, and what would be right.
        what: String,
    },
}

impl std::str::FromStr for Sites {
    type Err = SitesError;

    /// Reads `site:key,site:key`; a site named twice has several keys.
    fn from_str(text: &str) -> Result<Self, SitesError> {
        let mut sites: Vec<Site> = Vec::new();
        for pair in text.split(',') {
            let (site, key) = pair
                .trim()
                .split_once(':')
                .filter(|(s, k)| is_site_id(s) && !k.is_empty())
                .ok_or_else(|| SitesError::List(text.to_owned()))?;
            match sites.iter_mut().find(|s| s.site_id == site) {
                Some(known) => known.write_keys.push(key.to_owned()),
                None => sites.push(Site::new(site, key)),
            }
        }
        Ok(Self::new(sites))
    }
}

impl Default for Sites {
    /// What there is without configuration: `demo`, and two more for demonstrations, each with its own name as key.
    fn default() -> Self {
        Self::new(["demo", "demo-news", "demo-docs"].map(|name| Site::new(name, name)).to_vec())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::PropertyNames;

    #[test]
    fn whoever_holds_a_clone_sees_the_table_replaced() {
        let sites: Sites = "shop:k1,shop:k2".parse().unwrap();
        let held = sites.clone();
        let site = held.by_write_key("k1").unwrap();
        sites.replace("shop:k2,blog:b".parse().unwrap());
        assert!(held.by_write_key("k1").is_none());
        assert_eq!(held.by_write_key("k2").unwrap().site_id, "shop");
        assert_eq!(held.iter().map(|s| s.site_id.clone()).collect::<Vec<_>>(), ["shop", "blog"]);
        // A request in hand ends as it began.
        assert_eq!(site.write_keys, ["k1", "k2"]);
    }

    #[test]
    fn a_site_that_stays_keeps_the_names_it_has_seen() {
        let capped = |most| Sites::new(vec![Site { property_names: Some(PropertyNames::new(most)), ..Site::new("shop", "k") }]);
        let sites = capped(1);
        let admits = |name: &str| sites.by_id("shop").unwrap().property_names.as_ref().unwrap().admit(name);
        assert!(admits("a") && !admits("b"));
        sites.replace(capped(1));
        assert!(admits("a") && !admits("b"));
        sites.replace(capped(2));
        assert!(admits("b"));
    }
}
