//! The bucket: one set of objects under both ports that reach it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _};
use object_store::{
    Attribute, Attributes, ObjectMeta, ObjectStore as _, ObjectStoreExt as _, PutMode, PutPayload, memory::InMemory, path::Path,
};

use super::queue::Queue;

/// Objects, and the announcements of those that were written.
#[derive(Default)]
pub struct Bucket {
    pub objects: Arc<InMemory>,
    pub queue: Queue,
    raw: AtomicU64,
    versions: AtomicU64,
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
    /// How often something was written under `raw/`.
    pub fn raw_writes(&self) -> u64 {
        self.raw.load(Ordering::SeqCst)
    }

    /// How many versions of the lake were written.
    pub fn versions(&self) -> u64 {
        self.versions.load(Ordering::SeqCst)
    }

    pub fn put(&self, key: &Path, body: Bytes, mode: PutMode, attributes: Attributes) -> object_store::Result<String> {
        let options = object_store::PutOptions { mode, attributes, ..object_store::PutOptions::default() };
        let put = at_once(self.objects.put_opts(key, PutPayload::from(body), options))?;
        if key.as_ref().starts_with("raw/") {
            self.raw.fetch_add(1, Ordering::SeqCst);
        }
        if is_version(key) {
            self.versions.fetch_add(1, Ordering::SeqCst);
        }
        Ok(put.e_tag.unwrap_or_default())
    }

    pub fn get(&self, key: &Path) -> object_store::Result<Stored> {
        let got = at_once(self.objects.get(key))?;
        let (meta, attributes) = (got.meta.clone(), got.attributes.clone());
        Ok(Stored { meta, attributes, bytes: at_once(got.bytes())? })
    }

    pub fn delete(&self, key: &Path) -> object_store::Result<()> {
        at_once(self.objects.delete(key))
    }

    /// Every object whose key begins with `prefix`, in order of keys.
    pub fn list(&self, prefix: &str) -> Vec<ObjectMeta> {
        let all = self.objects.list(None).collect::<Vec<_>>().now_or_never().unwrap_or_default();
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

/// User metadata among attributes.
pub fn metadata(attributes: &Attributes) -> std::collections::BTreeMap<String, String> {
    let of_user = |(name, value): (&Attribute, &object_store::AttributeValue)| match name {
        Attribute::Metadata(name) => Some((name.to_string(), value.to_string())),
        _ => None,
    };
    attributes.iter().filter_map(of_user).collect()
}
