//! One tombstone, and the object that it is.

use clickstream_event::Micros;
use serde::{Deserialize, Serialize};

use crate::key::unhex;

/// Where all tombstones stand. A name says everything, so that one listing reads them all.
pub(crate) const FOLDER: &str = "erasures/tombstones/";

/// Which id of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `user_id`.
    User,
    /// `anonymous_id`.
    Anonymous,
}

impl Kind {
    /// As it stands in names of objects.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Anonymous => "anonymous",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::User, Self::Anonymous].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A person by one of their ids.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Person {
    /// By `user_id`.
    User(String),
    /// By `anonymous_id`.
    Anonymous(String),
}

impl Person {
    /// Which id it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::User(_) => Kind::User,
            Self::Anonymous(_) => Kind::Anonymous,
        }
    }

    /// The id.
    pub fn id(&self) -> &str {
        match self {
            Self::User(id) | Self::Anonymous(id) => id,
        }
    }
}

/// A person of a site is forgotten as of a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The site.
    pub site_id: String,
    /// Which id.
    pub kind: Kind,
    /// Its keyed hash, hexadecimal.
    pub hash: String,
    /// What was received or happened until then is erased.
    pub erased_at: Micros,
}

impl Tombstone {
    /// Its key: `erasures/tombstones/{site}/{kind}-{hash}-{erased_at in µs}.json`.
    pub fn key(&self) -> String {
        format!("{FOLDER}{}/{}-{}-{:020}.json", self.site_id, self.kind.as_str(), self.hash, self.erased_at.0)
    }

    /// The tombstone of that name; none for other objects.
    pub fn of_key(key: &str) -> Option<Self> {
        let (site, name) = key.strip_prefix(FOLDER)?.split_once('/')?;
        let mut parts = name.strip_suffix(".json")?.splitn(3, '-');
        let (kind, hash, at) = (Kind::from_name(parts.next()?)?, parts.next()?, parts.next()?);
        unhex(hash).filter(|hash| hash.len() == 32)?;
        Some(Self { site_id: site.to_owned(), kind, hash: hash.to_owned(), erased_at: Micros(at.parse().ok()?) })
    }
}
