//! The bucket: one set of objects under both ports that reach it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _};
use object_store::{
    Attribute, Attributes, ObjectMeta, ObjectStore as _, ObjectStoreExt as _, PutMode, PutPayload, memory::InMemory, path::Path,
};

use super::{queue::Queue, tables::Tables};
use crate::sim::Sim;

/// The folder of the lake's table.
pub const TABLE: &str = "lake/events/";

/// Objects, and the announcements of those that were written.
pub struct Bucket {
    pub objects: Arc<InMemory>,
    pub queue: Queue,
    sim: Arc<Sim>,
    tables: Arc<Tables>,
    raw: AtomicU64,
    versions: AtomicU64,
    history: Mutex<History>,
    lossy: AtomicBool,
}

/// What happened to objects.
#[derive(Default)]
struct History {
    /// Keys that stand, and the turn at which each was written last.
    standing: BTreeMap<String, u64>,
    /// Every version and file of the lake that ever stood.
    lake: BTreeMap<String, Bytes>,
    removed: Vec<Removed>,
}

/// A file of the lake that went.
#[derive(Clone, Debug)]
pub struct Removed {
    pub key: String,
    /// How many versions there were by then.
    pub versions: u64,
    /// The newest version that was settled and in the marts by then.
    pub done: Option<u64>,
    /// Versions with a checkpoint that stood then.
    pub checkpoints: Vec<u64>,
}

/// An object.
pub struct Stored {
    pub meta: ObjectMeta,
    pub attributes: Attributes,
    pub bytes: Bytes,
}

/// Nothing in memory is waited for.
fn at_once<T>(future: impl Future<Output = object_store::Result<T>>) -> object_store::Result<T> {
    let late = || Err(object_store::Error::NotImplemented { operation: "waiting".to_owned(), implementer: "Bucket".to_owned() });
    future.now_or_never().unwrap_or_else(late)
}

impl Bucket {
    pub fn new(sim: &Arc<Sim>, tables: &Arc<Tables>) -> Self {
        Self {
            objects: Arc::default(),
            queue: Queue::default(),
            sim: Arc::clone(sim),
            tables: Arc::clone(tables),
            raw: AtomicU64::new(0),
            versions: AtomicU64::new(0),
            history: Mutex::default(),
            lossy: AtomicBool::new(false),
        }
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often something was written under `raw/`.
    pub fn raw_writes(&self) -> u64 {
        self.raw.load(Ordering::SeqCst)
    }

    /// How many versions of the lake were written.
    pub fn versions(&self) -> u64 {
        self.versions.load(Ordering::SeqCst)
    }

    /// Keys that begin with `prefix`.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let history = self.history();
        history.standing.range(prefix.to_owned()..).map(|(key, _)| key).take_while(|key| key.starts_with(prefix)).cloned().collect()
    }

    /// The turn at which an object was written.
    pub fn written(&self, key: &str) -> Option<u64> {
        self.history().standing.get(key).copied()
    }

    /// Every version and file of the lake that ever stood, by key.
    pub fn lake(&self) -> BTreeMap<String, Bytes> {
        self.history().lake.clone()
    }

    /// Files of the lake that went, in order.
    pub fn removed(&self) -> Vec<Removed> {
        self.history().removed.clone()
    }

    pub fn put(&self, key: &Path, body: Bytes, mode: PutMode, attributes: Attributes) -> object_store::Result<String> {
        let options = object_store::PutOptions { mode, attributes, ..object_store::PutOptions::default() };
        let put = at_once(self.objects.put_opts(key, PutPayload::from(body.clone()), options))?;
        if key.as_ref().starts_with("raw/") {
            self.raw.fetch_add(1, Ordering::SeqCst);
        }
        if is_version(key) {
            self.versions.fetch_add(1, Ordering::SeqCst);
        }
        let mut history = self.history();
        history.standing.insert(key.to_string(), self.sim.turn());
        if is_version(key) || is_lake_file(key) {
            history.lake.insert(key.to_string(), body);
        }
        Ok(put.e_tag.unwrap_or_default())
    }

    pub fn get(&self, key: &Path) -> object_store::Result<Stored> {
        let got = at_once(self.objects.get(key))?;
        let (meta, attributes) = (got.meta.clone(), got.attributes.clone());
        Ok(Stored { meta, attributes, bytes: at_once(got.bytes())? })
    }

    pub fn delete(&self, key: &Path) -> object_store::Result<()> {
        at_once(self.objects.delete(key))?;
        let stood = self.history().standing.remove(key.as_ref()).is_some();
        if stood && key.as_ref().starts_with(TABLE) {
            let (versions, done, checkpoints) = (self.versions(), self.tables.read().done(), self.checkpoints());
            self.history().removed.push(Removed { key: key.to_string(), versions, done, checkpoints });
        }
        Ok(())
    }

    /// An object goes without anybody's call.
    pub fn lose(&self, key: &Path) -> bool {
        self.lossy.store(true, Ordering::SeqCst);
        self.delete(key).is_ok()
    }

    /// True if some did.
    pub fn is_lossy(&self) -> bool {
        self.lossy.load(Ordering::SeqCst)
    }

    fn checkpoints(&self) -> Vec<u64> {
        let log = format!("{TABLE}_delta_log/");
        let of = |meta: &ObjectMeta| meta.location.filename()?.strip_suffix(".checkpoint.parquet")?.parse().ok();
        self.list(&log).iter().filter_map(of).collect()
    }

    /// Every object whose key begins with `prefix`, a folder, in order of keys.
    pub fn list(&self, prefix: &str) -> Vec<ObjectMeta> {
        let all = self.objects.list(Some(&Path::from(prefix))).collect::<Vec<_>>().now_or_never().unwrap_or_default();
        let mut found: Vec<_> = all.into_iter().flatten().filter(|meta| meta.location.as_ref().starts_with(prefix)).collect();
        found.sort_by(|a, b| a.location.cmp(&b.location));
        found
    }
}

/// True for `lake/events/_delta_log/{version:020}.json`, or the same within the table.
pub fn is_version(key: &Path) -> bool {
    let name = key.filename().unwrap_or_default();
    key.as_ref().contains("_delta_log/")
        && name.strip_suffix(".json").is_some_and(|digits| digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// True for what stands beside the table's log.
pub fn is_lake_file(key: &Path) -> bool {
    key.filename().is_some_and(|name| name.starts_with("part-")) || key.as_ref().contains("/_erased/")
}

/// User metadata among attributes.
pub fn metadata(attributes: &Attributes) -> BTreeMap<String, String> {
    let of_user = |(name, value): (&Attribute, &object_store::AttributeValue)| match name {
        Attribute::Metadata(name) => Some((name.to_string(), value.to_string())),
        _ => None,
    };
    attributes.iter().filter_map(of_user).collect()
}
