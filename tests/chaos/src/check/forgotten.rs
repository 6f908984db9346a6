//! Whose events are erased: tombstones by the names of their objects, and keyed hashes computed here.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use super::{Promise, Violation};
use crate::{columns::Row, world::World};

/// Site, kind of id, and hash.
type Hashed = (String, &'static str, String);

/// The bucket's key, with the hashes that were computed.
pub struct Key {
    mac: Option<Hmac<Sha256>>,
    hashes: Mutex<BTreeMap<(String, &'static str, String), String>>,
}

/// Who is forgotten, and as of when (µs).
pub struct Forgotten {
    key: Key,
    of: BTreeMap<Hashed, i64>,
}

/// Whose event it is, and when it was.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    pub site: &'a str,
    pub user: Option<&'a str>,
    pub anonymous: Option<&'a str>,
    pub received_at: i64,
    pub original_at: i64,
}

/// Kinds of ids.
pub const KINDS: [&str; 2] = ["user", "anonymous"];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Key {
    /// The key that the bucket keeps.
    pub fn read(world: &World) -> Result<Self, Violation> {
        let wrong = |what: String| Violation::new(Promise::Forgotten, format!("the bucket's key: {what}"));
        let mac = match world.bucket.get(&"erasures/key.json".into()) {
            Ok(stored) => {
                let kept: Value = serde_json::from_slice(&stored.bytes).map_err(|e| wrong(e.to_string()))?;
                let secret = kept["key"].as_str().ok_or_else(|| wrong("there is none".to_owned()))?;
                Some(Hmac::new_from_slice(secret.as_bytes()).map_err(|e| wrong(e.to_string()))?)
            }
            Err(_) => None,
        };
        Ok(Self { mac, hashes: Mutex::default() })
    }

    /// HMAC-SHA256 of kind, length of the site's name, site, and id.
    pub fn hash(&self, site: &str, kind: &'static str, id: &str) -> String {
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        let compute = || {
            let Some(mut mac) = self.mac.clone() else { return String::new() };
            mac.update(kind.as_bytes());
            mac.update(&(site.len() as u32).to_le_bytes());
            mac.update(site.as_bytes());
            mac.update(id.as_bytes());
            hex(&mac.finalize().into_bytes())
        };
        hashes.entry((site.to_owned(), kind, id.to_owned())).or_insert_with(compute).clone()
    }

    /// HMAC-SHA256 of a receipt's text.
    pub fn signature(&self, text: &[u8]) -> String {
        let Some(mut mac) = self.mac.clone() else { return String::new() };
        mac.update(b"receipt\0");
        mac.update(text);
        hex(&mac.finalize().into_bytes())
    }
}

impl Forgotten {
    /// Whom tombstones name: `erasures/tombstones/{site}/{kind}-{hash}-{µs}.json`.
    pub fn read(world: &World) -> Result<Self, Violation> {
        let mut of = BTreeMap::new();
        for name in world.bucket.keys("erasures/tombstones/") {
            let wrong = || Violation::new(Promise::Forgotten, format!("{name} is no tombstone"));
            let (site, rest) = name["erasures/tombstones/".len()..].split_once('/').ok_or_else(wrong)?;
            let mut parts = rest.trim_end_matches(".json").splitn(3, '-');
            let (kind, hash, at) = parts.next().zip(parts.next()).zip(parts.next()).map(|((a, b), c)| (a, b, c)).ok_or_else(wrong)?;
            let kind = KINDS.into_iter().find(|known| *known == kind).ok_or_else(wrong)?;
            let at: i64 = at.parse().map_err(|_| wrong())?;
            let newest = of.entry((site.to_owned(), kind, hash.to_owned())).or_insert(at);
            *newest = at.max(*newest);
        }
        Ok(Self { key: Key::read(world)?, of })
    }

    /// Those of them who stand in `of`: kind, hash and moment by site.
    pub fn only(world: &World, of: BTreeMap<Hashed, i64>) -> Result<Self, Violation> {
        Ok(Self { key: Key::read(world)?, of })
    }

    /// The moment as of which an id is forgotten.
    pub fn as_of(&self, site: &str, kind: &'static str, id: &str) -> Option<i64> {
        if self.of.is_empty() {
            return None;
        }
        self.of.get(&(site.to_owned(), kind, self.key.hash(site, kind, id))).copied()
    }

    /// True if an event is erased: it was received, or happened, at or before the moment as of which one of its ids is
    /// forgotten.
    pub fn covers(&self, whose: &Whose<'_>) -> bool {
        let earliest = whose.received_at.min(whose.original_at);
        let by = |kind, id: Option<&str>| id.and_then(|id| self.as_of(whose.site, kind, id)).is_some_and(|at| earliest <= at);
        by("user", whose.user) || by("anonymous", whose.anonymous)
    }

    /// True if a row is erased.
    pub fn covers_row(&self, row: &Row) -> bool {
        self.covers(&Whose {
            site: &row.identity.0,
            user: row.user.as_deref(),
            anonymous: row.anonymous.as_deref(),
            received_at: row.received_at,
            original_at: row.original_at,
        })
    }

    /// True if a tombstone of that hash stands as of `at` or later.
    pub fn has(&self, site: &str, kind: &'static str, hash: &str, at: i64) -> bool {
        self.of.get(&(site.to_owned(), kind, hash.to_owned())).is_some_and(|as_of| *as_of >= at)
    }

    pub fn key(&self) -> &Key {
        &self.key
    }
}
