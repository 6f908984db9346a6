//! How far an erasure is: an object that every step moves on, by `If-Match`.

use std::collections::BTreeSet;

use clickstream_erasure::{ErasureError, Kind, Person, Tombstone};
use clickstream_event::Micros;
use clickstream_objects::{Condition, ObjectError, PutOptions, SharedObjects};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    EraseError,
    receipt::{Left, Removed},
};

/// The steps in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ErasureStep)]
pub enum Step {
    /// Which ids are the person's.
    Persons,
    /// Tombstones, and an empty version of the lake.
    Tombstones,
    /// The event store, rejections included.
    Store,
    /// Files of the inbox, their receipts, and what is in quarantine.
    Files,
    /// What waits in `spill/`.
    Spill,
    /// Raw objects.
    Raw,
    /// The lake.
    Lake,
    /// ClickHouse takes the lake's version over, marts included.
    Settle,
    /// What ClickHouse holds beside it.
    Warehouse,
    /// Files that the lake no longer names.
    Vacuum,
    /// Once more, for what was under way.
    Again,
    /// Older versions of objects, where the bucket keeps them.
    Versions,
    /// The receipt.
    Receipt,
    /// Nothing is left to do.
    Done,
}

impl Step {
    /// The steps in their order.
    pub const ALL: [Self; 14] = [
        Self::Persons,
        Self::Tombstones,
        Self::Store,
        Self::Files,
        Self::Spill,
        Self::Raw,
        Self::Lake,
        Self::Settle,
        Self::Warehouse,
        Self::Vacuum,
        Self::Again,
        Self::Versions,
        Self::Receipt,
        Self::Done,
    ];

    /// What comes after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self::ALL.into_iter().find(|step| *step > self).unwrap_or(Self::Done)
    }
}

/// One erasure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Erasure {
    /// Its id.
    pub erasure_id: Uuid,
    /// The site.
    pub site_id: String,
    /// What was received or happened until then goes.
    pub erased_at: Micros,
    /// The step that is next.
    pub step: Step,
    /// Whom to look for, in clear. Empty once it is done.
    pub(crate) persons: Vec<Person>,
    /// The tombstones.
    pub(crate) tombstones: Vec<Tombstone>,
    /// When every tombstone stood.
    pub(crate) buried_at: Option<Micros>,
    /// When the lake's version without its rows was settled.
    #[serde(default)]
    pub(crate) settled_at: Option<Micros>,
    /// The lake's version by which its rows are gone.
    pub(crate) lake_version: u64,
    /// What went, so far.
    pub(crate) removed: Removed,
    /// Objects that were written anew.
    pub(crate) rewritten: BTreeSet<String>,
    /// Objects that were removed.
    pub(crate) deleted: BTreeSet<String>,
    /// What could not be looked through or removed.
    pub(crate) left: Vec<Left>,
    /// How often a run was cut off in the middle of a step, whose counts may be too low then.
    pub(crate) cut_off: u32,
    /// A step is under way.
    pub(crate) under_way: bool,
    #[serde(skip)]
    etag: String,
}

/// What stands under `erasures/pending/` while an erasure is not done.
#[derive(Serialize, Deserialize)]
struct Pending {
    site_id: String,
}

const PENDING: &str = "erasures/pending/";

impl Erasure {
    /// Begins one, durably.
    pub(crate) async fn begin(objects: &SharedObjects, site: &str, person: Person) -> Result<Self, EraseError> {
        let mut erasure = Self {
            erasure_id: Uuid::now_v7(),
            site_id: site.to_owned(),
            erased_at: Micros::now(),
            step: Step::Persons,
            persons: vec![person],
            tombstones: Vec::new(),
            buried_at: None,
            settled_at: None,
            lake_version: 0,
            removed: Removed::default(),
            rewritten: BTreeSet::new(),
            deleted: BTreeSet::new(),
            left: Vec::new(),
            cut_off: 0,
            under_way: false,
            etag: String::new(),
        };
        erasure.write(objects, Condition::Absent).await?;
        let pending = json(&Pending { site_id: site.to_owned() })?;
        objects.put(&pending_key(erasure.erasure_id), pending.into(), PutOptions::default()).await?;
        Ok(erasure)
    }

    /// Reads one.
    pub(crate) async fn read(objects: &SharedObjects, site: &str, id: Uuid) -> Result<Self, EraseError> {
        let key = state_key(site, id);
        match objects.get(&key).await {
            Ok((info, bytes)) => {
                let mut read: Self = serde_json::from_slice(&bytes).map_err(|e| ErasureError::Damaged { key, why: e.to_string() })?;
                read.etag = info.etag;
                Ok(read)
            }
            Err(ObjectError::NotFound(_)) => Err(EraseError::Unknown(site.to_owned(), id)),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes how far it is; [`EraseError::Busy`] if another process did since.
    pub(crate) async fn save(&mut self, objects: &SharedObjects) -> Result<(), EraseError> {
        let condition = Condition::Matches(self.etag.clone());
        self.write(objects, condition).await
    }

    /// It is done: nothing in clear is left.
    pub(crate) async fn finish(&mut self, objects: &SharedObjects) -> Result<(), EraseError> {
        self.persons.clear();
        self.step = Step::Done;
        self.under_way = false;
        self.save(objects).await?;
        self.clean_up(objects).await
    }

    /// Older versions of the state, which name the person, go, and what says that it is not done.
    pub(crate) async fn clean_up(&self, objects: &SharedObjects) -> Result<(), EraseError> {
        objects.delete_old_versions(&state_key(&self.site_id, self.erasure_id)).await?;
        Ok(objects.delete(&pending_key(self.erasure_id)).await?)
    }

    async fn write(&mut self, objects: &SharedObjects, condition: Condition) -> Result<(), EraseError> {
        let options = PutOptions { condition, content_type: Some("application/json".to_owned()), ..PutOptions::default() };
        match objects.put(&state_key(&self.site_id, self.erasure_id), json(self)?.into(), options).await {
            Ok(etag) => {
                self.etag = etag;
                Ok(())
            }
            Err(ObjectError::PreconditionFailed(_)) => Err(EraseError::Busy(self.erasure_id)),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds what could not be done, once.
    pub(crate) fn leave(&mut self, key: &str, why: &str) {
        self.left.retain(|left| left.key != key);
        self.left.push(Left { key: key.to_owned(), why: why.to_owned() });
    }

    /// Kinds and keyed hashes of whom it is about.
    pub fn hashes(&self) -> impl Iterator<Item = (Kind, &str)> {
        self.tombstones.iter().map(|tombstone| (tombstone.kind, tombstone.hash.as_str()))
    }
}

/// Erasures that are not done, site and id.
pub(crate) async fn pending(objects: &SharedObjects) -> Result<Vec<(String, Uuid)>, EraseError> {
    let mut found = Vec::new();
    for object in objects.list(PENDING, None, 1_000).await? {
        let id = object.key.strip_prefix(PENDING).and_then(|name| name.strip_suffix(".json")).and_then(|id| id.parse().ok());
        let Some(id) = id else { continue };
        match objects.get(&object.key).await {
            Ok((_, bytes)) => {
                let read: Result<Pending, _> = serde_json::from_slice(&bytes);
                let Pending { site_id } = read.map_err(|e| ErasureError::Damaged { key: object.key.clone(), why: e.to_string() })?;
                found.push((site_id, id));
            }
            Err(ObjectError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, EraseError> {
    let wrong = |e: serde_json::Error| ErasureError::Damaged { key: "state".to_owned(), why: e.to_string() };
    Ok(serde_json::to_vec(value).map_err(wrong)?)
}

fn state_key(site: &str, id: Uuid) -> String {
    format!("erasures/{site}/{id}/state.json")
}

fn pending_key(id: Uuid) -> String {
    format!("{PENDING}{id}.json")
}

/// Where the receipt of an erasure stands.
pub(crate) fn receipt_key(site: &str, id: Uuid) -> String {
    format!("erasures/{site}/{id}/receipt.json")
}
