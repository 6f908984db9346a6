//! The variables that say which sites there are.

use std::{env, sync::Arc};

use clickstream_event::{Sites, SitesError, VisitorSecret};
use clickstream_objects::{
    SharedObjects,
    s3::{S3Config, S3ConfigError, S3Objects},
};

use crate::{LiveSites, Place, SitesFileError};

/// Shortest secret that is taken, characters.
const SHORTEST_SECRET: usize = 16;

/// Which sites there are.
#[derive(Clone, Debug)]
pub enum SitesSetting {
    /// Those of `SITES`, or without it the demonstration's. They stay as they are.
    Fixed(Sites),
    /// Those of `SITES_FILE`, as it reads at any time.
    Written(Place),
}

/// Variables that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Two variables that exclude each other.
    #[error("SITES and SITES_FILE are both set: name the sites in one of them")]
    Both,
    /// `SITES` is wrong.
    #[error(transparent)]
    Sites(#[from] SitesError),
    /// `SITES_FILE` is wrong.
    #[error("SITES_FILE={0:?} is wrong: it names a file, or object:KEY in the bucket")]
    Place(String),
    /// `COOKIELESS_SECRET` is too short.
    #[error("COOKIELESS_SECRET is wrong: a secret has {SHORTEST_SECRET} characters or more")]
    Secret,
    /// `SITES_FILE` names an object, and no bucket is named.
    #[error("OBJECTS_URL is not set: s3://BUCKET names the bucket of SITES_FILE={0}")]
    NoBucket(Place),
    /// `OBJECTS_URL` is wrong.
    #[error(transparent)]
    Bucket(#[from] S3ConfigError),
    /// What `SITES_FILE` names cannot be had.
    #[error(transparent)]
    File(#[from] SitesFileError),
}

impl SitesSetting {
    /// What `SITES` and `SITES_FILE` say.
    pub fn from_env() -> Result<Self, SettingsError> {
        match (variable("SITES"), variable("SITES_FILE")) {
            (Some(_), Some(_)) => Err(SettingsError::Both),
            (None, Some(text)) => Place::parse(&text).map(Self::Written).ok_or(SettingsError::Place(text)),
            (Some(text), None) => Ok(Self::Fixed(text.parse()?)),
            (None, None) => Ok(Self::Fixed(Sites::default())),
        }
    }
}

impl LiveSites {
    /// The sites of a Lambda: `SITES`, or what `SITES_FILE` names, in the bucket of `OBJECTS_URL` where that is an object;
    /// with `COOKIELESS_SECRET`, which all instances share.
    pub async fn from_env() -> Result<Self, SettingsError> {
        let setting = SitesSetting::from_env()?;
        let objects = match &setting {
            SitesSetting::Written(place @ Place::Object(_)) => {
                let url = variable("OBJECTS_URL").ok_or_else(|| SettingsError::NoBucket(place.clone()))?;
                let objects: SharedObjects = Arc::new(S3Objects::connect(&S3Config::from_url(&url)?).await);
                Some(objects)
            }
            _ => None,
        };
        Ok(Self::open(setting, objects, visitor_secret()?).await?)
    }
}

/// What `COOKIELESS_SECRET` says, if it is set.
pub fn visitor_secret() -> Result<Option<VisitorSecret>, SettingsError> {
    match variable("COOKIELESS_SECRET") {
        Some(text) if text.chars().count() < SHORTEST_SECRET => Err(SettingsError::Secret),
        Some(text) => Ok(Some(VisitorSecret::new(text.as_bytes()))),
        None => Ok(None),
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
