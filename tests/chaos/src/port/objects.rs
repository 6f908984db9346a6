//! The bucket by the port `Objects`.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_objects::{ByteStream, Condition, ObjectError, ObjectInfo, Objects, PutOptions};
use futures::{StreamExt as _, stream};
use object_store::{Attribute, Attributes, Error, ObjectMeta, PutMode, UpdateVersion, path::Path};

use super::bucket::{Bucket, Stored, TABLE, metadata};
use crate::{
    fault::{Boundary, Fault},
    life::{Failure, Life},
};

/// The bucket as one process reaches it.
pub struct ObjectsPort {
    bucket: Arc<Bucket>,
    life: Arc<Life>,
}

impl ObjectsPort {
    pub fn new(bucket: &Arc<Bucket>, life: &Arc<Life>) -> Self {
        Self { bucket: Arc::clone(bucket), life: Arc::clone(life) }
    }

    async fn read(&self, key: &str) -> Result<Stored, ObjectError> {
        let (bucket, path) = (Arc::clone(&self.bucket), Path::from(key));
        let got = self.life.perform(Boundary::ObjectGet, &[Fault::NotDone], move |_| bucket.get(&path)).await;
        got.map_err(|_| unavailable())?.map_err(|error| of(key, &error))
    }
}

/// What writing an object is called.
fn boundary_of(key: &str, mode: &PutMode) -> Boundary {
    match (key.split('/').next(), mode) {
        (Some("erasures"), _) if key.starts_with("erasures/tombstones/") || key == "erasures/newest.json" => Boundary::Tombstone,
        (Some("erasures"), _) => Boundary::ErasureState,
        (Some("raw"), PutMode::Update(_)) => Boundary::RawRewrite,
        _ => Boundary::ObjectPut,
    }
}

fn unavailable() -> ObjectError {
    ObjectError::Unavailable("the seed says so".to_owned())
}

fn of(key: &str, error: &Error) -> ObjectError {
    match error {
        Error::NotFound { .. } => ObjectError::NotFound(key.to_owned()),
        Error::AlreadyExists { .. } | Error::Precondition { .. } => ObjectError::PreconditionFailed(key.to_owned()),
        other => ObjectError::Unavailable(other.to_string()),
    }
}

fn info(meta: &ObjectMeta, attributes: &Attributes) -> ObjectInfo {
    ObjectInfo {
        key: meta.location.to_string(),
        size: meta.size,
        etag: meta.e_tag.clone().unwrap_or_default(),
        modified_at: meta.last_modified.timestamp_micros(),
        metadata: metadata(attributes),
    }
}

#[async_trait]
impl Objects for ObjectsPort {
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<String, ObjectError> {
        let (bucket, sim, path) = (Arc::clone(&self.bucket), Arc::clone(&self.life.sim), Path::from(key));
        let mode = match options.condition {
            Condition::None => PutMode::Overwrite,
            Condition::Absent => PutMode::Create,
            Condition::Matches(etag) => PutMode::Update(UpdateVersion { e_tag: Some(etag), version: None }),
        };
        let can: &'static [Fault] = match mode {
            PutMode::Overwrite => &[Fault::NotDone, Fault::Unanswered, Fault::Late],
            _ => &[Fault::NotDone, Fault::Unanswered, Fault::Late, Fault::Mistaken],
        };
        let of_user =
            options.metadata.into_iter().map(|(name, value)| (Attribute::Metadata(name.into()), object_store::AttributeValue::from(value)));
        let attributes: Attributes = of_user.collect();
        let boundary = boundary_of(key, &mode);
        #[cfg(feature = "faults")]
        if key.starts_with("erasures/tombstones/") && self.life.sim.broken(crate::Switch::ForgetTombstone) {
            return Ok(String::new());
        }
        let put = self.life.perform(boundary, can, move |_| {
            let put = bucket.put(&path, body.clone(), mode.clone(), attributes.clone());
            if put.is_ok() && path.as_ref().starts_with("raw/") {
                bucket.queue.announce(&sim, path.as_ref());
            }
            put
        });
        match put.await {
            Ok(put) => put.map_err(|error| of(key, &error)),
            Err(Failure::Mistaken) => Err(ObjectError::PreconditionFailed(key.to_owned())),
            Err(Failure::Unknown) => Err(unavailable()),
        }
    }

    async fn put_file(&self, key: &str, path: &std::path::Path, options: PutOptions) -> Result<String, ObjectError> {
        let bytes = std::fs::read(path).map_err(|e| ObjectError::Refused(e.to_string()))?;
        self.put(key, bytes.into(), options).await
    }

    async fn get(&self, key: &str) -> Result<(ObjectInfo, Bytes), ObjectError> {
        let stored = self.read(key).await?;
        Ok((info(&stored.meta, &stored.attributes), stored.bytes))
    }

    async fn get_stream(&self, key: &str) -> Result<(ObjectInfo, ByteStream), ObjectError> {
        let (info, bytes) = self.get(key).await?;
        Ok((info, stream::iter([Ok(bytes)]).boxed()))
    }

    async fn get_range(&self, key: &str, start: u64, end: u64) -> Result<Bytes, ObjectError> {
        let bytes = self.read(key).await?.bytes;
        let end = (end as usize).min(bytes.len());
        Ok(bytes.slice((start as usize).min(end)..end))
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo, ObjectError> {
        let stored = self.read(key).await?;
        Ok(info(&stored.meta, &stored.attributes))
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>, max: usize) -> Result<Vec<ObjectInfo>, ObjectError> {
        let (bucket, of_prefix) = (Arc::clone(&self.bucket), prefix.to_owned());
        let listed = self.life.perform(Boundary::ObjectList, &[Fault::NotDone], move |_| bucket.list(&of_prefix)).await;
        let listed = listed.map_err(|_| unavailable())?;
        #[cfg(feature = "faults")]
        if prefix == "raw/events/" && self.life.name.starts_with("erase") && self.life.sim.broken(crate::Switch::EraseSkipsRaw) {
            return Ok(Vec::new());
        }
        let after = listed.iter().filter(|meta| start_after.is_none_or(|after| meta.location.as_ref() > after));
        Ok(after.take(max).map(|meta| info(meta, &Attributes::new())).collect())
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        let (bucket, path) = (Arc::clone(&self.bucket), Path::from(key));
        let can = &[Fault::NotDone, Fault::Unanswered];
        let boundary = if key.starts_with(TABLE) { Boundary::LakeDelete } else { Boundary::ObjectDelete };
        let deleted = self.life.perform(boundary, can, move |_| bucket.delete(&path)).await;
        match deleted.map_err(|_| unavailable())? {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(of(key, &error)),
        }
    }
}
