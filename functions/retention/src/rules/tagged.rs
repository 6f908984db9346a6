//! How far raw objects are tagged, kept in the bucket: they stand for a day or two after, and asking each of them at every
//! run would cost more than keeping them. Once a day all are asked.

use std::collections::BTreeMap;

use clickstream_event::Micros;
use clickstream_objects::{ObjectError, PutOptions, SharedObjects};
use serde::{Deserialize, Serialize};

const KEY: &str = "retention/tagged.json";

/// How far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tagged {
    /// When all were asked last.
    all_at: Micros,
    /// The last one that was tagged, by `{log_id}/{partition}`.
    after: BTreeMap<String, String>,
}

impl Tagged {
    /// How far it was. Nothing, where it is a day ago that all were asked, or nobody can tell.
    pub async fn read(objects: &SharedObjects, now: Micros) -> Result<Self, ObjectError> {
        let known: Option<Self> = match objects.get(KEY).await {
            Ok((_, bytes)) => serde_json::from_slice(&bytes).ok(),
            Err(ObjectError::NotFound(_)) => None,
            Err(error) => return Err(error),
        };
        let recent = known.filter(|known| now.0 - known.all_at.0 < Micros::DAY);
        Ok(recent.unwrap_or(Self { all_at: now, after: BTreeMap::new() }))
    }

    /// The key after which a partition goes on.
    pub fn after(&self, place: &str) -> Option<String> {
        self.after.get(place).cloned()
    }

    /// A partition is tagged up to `key`.
    pub fn done(&mut self, place: &str, key: &str) {
        self.after.insert(place.to_owned(), key.to_owned());
    }

    /// Keeps it. Of two runs at once the last one's stands; at worst the next run asks some once more.
    pub async fn write(&self, objects: &SharedObjects) -> Result<(), ObjectError> {
        let text = serde_json::to_vec(self).map_err(|error| ObjectError::Refused(error.to_string()))?;
        let options = PutOptions { content_type: Some("application/json".to_owned()), ..PutOptions::default() };
        objects.put(KEY, text.into(), options).await.map(drop)
    }
}
