//! Sites: who may send, and how their events are treated.

use std::sync::Arc;

use subtle::ConstantTimeEq;

/// What is kept of a visitor's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IpPolicy {
    /// Cut to /24 (IPv4) or /48 (IPv6).
    #[default]
    Anonymize,
    /// Kept nowhere.
    Drop,
}

/// One site and its rules.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its name in every table.
    pub site_id: String,
    /// Keys that may write to it (ingest only, may be public).
    pub write_keys: Vec<String>,
    /// Origins that browsers may send from; empty means any.
    pub allowed_origins: Vec<String>,
    /// What is kept of a visitor's address.
    pub ip_policy: IpPolicy,
    /// Oldest event taken over HTTP, days.
    pub max_age_days: u32,
    /// Clock skew that raises a warning, seconds.
    pub max_skew_seconds: u32,
    /// Query parameters kept in addresses besides `utm_*`.
    pub allowed_query: Vec<String>,
}

impl Site {
    /// A site with the default rules: any origin, addresses anonymised, 30 days.
    pub fn new(site_id: impl Into<String>, write_key: impl Into<String>) -> Self {
        Self {
            site_id: site_id.into(),
            write_keys: vec![write_key.into()],
            allowed_origins: Vec::new(),
            ip_policy: IpPolicy::default(),
            max_age_days: 30,
            max_skew_seconds: 3_600,
            allowed_query: Vec::new(),
        }
    }
}

/// All sites, cheap to clone.
#[derive(Clone, Debug)]
pub struct Sites(Arc<Vec<Arc<Site>>>);

impl Sites {
    /// The sites given.
    pub fn new(sites: Vec<Site>) -> Self {
        Self(Arc::new(sites.into_iter().map(Arc::new).collect()))
    }

    /// The site that `key` may write to. Every key is compared in constant time.
    pub fn by_write_key(&self, key: &str) -> Option<Arc<Site>> {
        let mut found = None;
        for site in self.0.iter() {
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
        self.0.iter().find(|s| s.site_id == site_id).cloned()
    }

    /// Every site.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Site>> {
        self.0.iter()
    }
}

/// A list of sites that cannot be read.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("SITES={0:?} is wrong: it lists pairs of site and write key such as shop:k3y,blog:0th3r")]
pub struct SitesError(pub String);

impl std::str::FromStr for Sites {
    type Err = SitesError;

    /// Reads `site:key,site:key`; a site named twice has several keys.
    fn from_str(text: &str) -> Result<Self, SitesError> {
        let mut sites: Vec<Site> = Vec::new();
        for pair in text.split(',') {
            let named = |s: &str| !s.is_empty() && s.len() <= 100 && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            let (site, key) =
                pair.trim().split_once(':').filter(|(s, k)| named(s) && !k.is_empty()).ok_or_else(|| SitesError(text.to_owned()))?;
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
