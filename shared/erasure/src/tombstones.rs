//! The tombstones of a bucket, remembered while nothing new is written.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use clickstream_objects::{Condition, ObjectError, PutOptions, SharedObjects};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{Erased, ErasureError, ErasureKey, Tombstone, tombstone::FOLDER};

/// Written anew after tombstones are: its `ETag` tells whether what is remembered is all there is.
const NEWEST: &str = "erasures/newest.json";
/// How old a look may be where another one follows after the work.
const RECENT: Duration = Duration::from_secs(5);
/// Tombstones listed at a time.
const PAGE: usize = 1_000;

/// What was found at one look.
#[derive(Clone)]
struct Look {
    at: Instant,
    /// `ETag` of [`NEWEST`] before the listing; none where there is none.
    newest: Option<String>,
    erased: Arc<Erased>,
}

/// The tombstones of one bucket. Who writes something that may be of a forgotten person asks [`Tombstones::recent`]
/// before and [`Tombstones::fresh`] afterwards: an erasure that began in between is seen by one of the two, or sees what
/// was written.
pub struct Tombstones {
    objects: SharedObjects,
    setting: Option<String>,
    key: OnceCell<ErasureKey>,
    recent: Duration,
    look: RwLock<Option<Look>>,
}

impl std::fmt::Debug for Tombstones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tombstones").finish_non_exhaustive()
    }
}

impl Tombstones {
    /// The tombstones of `objects`; `setting` is `ERASURE_KEY`, if it is set. Nothing is asked yet.
    pub fn new(objects: SharedObjects, setting: Option<String>) -> Self {
        Self { objects, setting, key: OnceCell::new(), recent: RECENT, look: RwLock::new(None) }
    }

    /// Takes looks for [`Tombstones::recent`] that are younger than this, in place of five seconds.
    #[must_use]
    pub fn with_recent(self, recent: Duration) -> Self {
        Self { recent, ..self }
    }

    /// The tombstones of `objects`, with the key of the environment (`ERASURE_KEY`).
    pub fn from_env(objects: SharedObjects) -> Self {
        Self::new(objects, std::env::var("ERASURE_KEY").ok().filter(|key| !key.is_empty()))
    }

    /// The key, which is made if there is none yet.
    pub async fn key(&self) -> Result<&ErasureKey, ErasureError> {
        self.key.get_or_try_init(|| ErasureKey::open(&self.objects, self.setting.as_deref())).await
    }

    /// Every tombstone whose writing ended before this call: one question to the bucket where nothing is new.
    pub async fn fresh(&self) -> Result<Arc<Erased>, ErasureError> {
        let newest = match self.objects.head(NEWEST).await {
            Ok(info) => Some(info.etag),
            Err(ObjectError::NotFound(_)) => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(look) = self.remembered()
            && look.newest == newest
        {
            self.remember(look.newest.as_ref(), &look.erased);
            return Ok(look.erased);
        }
        let erased =
            Arc::new(if newest.is_some() { Erased::new(self.key().await?.clone(), self.list().await?) } else { Erased::default() });
        self.remember(newest.as_ref(), &erased);
        Ok(erased)
    }

    /// The tombstones as of some seconds ago. An error where the bucket does not answer: work on an older look could
    /// write what an erasure has long taken out, and die before it looks again.
    pub async fn recent(&self) -> Result<Arc<Erased>, ErasureError> {
        match self.remembered() {
            Some(look) if look.at.elapsed() < self.recent => Ok(look.erased),
            _ => self.fresh().await,
        }
    }

    /// Writes tombstones; when it returns, every later [`Tombstones::fresh`] of any process sees them.
    pub async fn bury(&self, tombstones: &[Tombstone]) -> Result<(), ErasureError> {
        for tombstone in tombstones {
            let key = tombstone.key();
            let options =
                PutOptions { condition: Condition::Absent, content_type: Some("application/json".to_owned()), ..PutOptions::default() };
            let bytes = serde_json::to_vec(tombstone).map_err(|e| ErasureError::Damaged { key: key.clone(), why: e.to_string() })?;
            match self.objects.put(&key, bytes.into(), options).await {
                Ok(_) | Err(ObjectError::PreconditionFailed(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let body = format!("{{\"written\":\"{}\"}}\n", Uuid::now_v7());
        self.objects.put(NEWEST, body.into(), PutOptions::default()).await?;
        Ok(())
    }

    async fn list(&self) -> Result<Vec<Tombstone>, ErasureError> {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = self.objects.list(FOLDER, after.as_deref(), PAGE).await?;
            found.extend(page.iter().filter_map(|object| Tombstone::of_key(&object.key)));
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.key.clone()),
                _ => return Ok(found),
            }
        }
    }

    fn remembered(&self) -> Option<Look> {
        self.look.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, newest: Option<&String>, erased: &Arc<Erased>) {
        let look = Look { at: Instant::now(), newest: newest.cloned(), erased: Arc::clone(erased) };
        *self.look.write().unwrap_or_else(PoisonError::into_inner) = Some(look);
    }
}
