//! A folder in place of a bucket, for reading.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use bytes::Bytes;
use clickstream_objects::{ByteStream, ObjectError, ObjectInfo, Objects, PutOptions};

/// The folder; keys are paths in it.
pub struct Folder(pub PathBuf);

fn error(key: &str, error: &io::Error) -> ObjectError {
    if error.kind() == io::ErrorKind::NotFound {
        ObjectError::NotFound(key.to_owned())
    } else {
        ObjectError::Unavailable(error.to_string())
    }
}

fn read_only<T>() -> Result<T, ObjectError> {
    Err(ObjectError::Refused("the folder is only read".to_owned()))
}

impl Folder {
    fn info(&self, key: &str) -> Result<ObjectInfo, ObjectError> {
        let size = fs::metadata(self.0.join(key)).map_err(|e| error(key, &e))?.len();
        Ok(ObjectInfo { key: key.to_owned(), size, etag: size.to_string(), modified_at: 0, metadata: BTreeMap::new() })
    }

    /// Keys of all files in `folder`.
    fn keys(&self, folder: &Path, keys: &mut Vec<String>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.keys(&path, keys)?;
            } else if let Some(key) = path.strip_prefix(&self.0).ok().and_then(Path::to_str) {
                keys.push(key.to_owned());
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Objects for Folder {
    async fn put(&self, _: &str, _: Bytes, _: PutOptions) -> Result<String, ObjectError> {
        read_only()
    }

    async fn put_file(&self, _: &str, _: &Path, _: PutOptions) -> Result<String, ObjectError> {
        read_only()
    }

    async fn get(&self, key: &str) -> Result<(ObjectInfo, Bytes), ObjectError> {
        let bytes = fs::read(self.0.join(key)).map_err(|e| error(key, &e))?;
        Ok((self.info(key)?, bytes.into()))
    }

    async fn get_stream(&self, key: &str) -> Result<(ObjectInfo, ByteStream), ObjectError> {
        let (info, bytes) = self.get(key).await?;
        Ok((info, Box::pin(futures::stream::iter([Ok(bytes)]))))
    }

    async fn get_range(&self, key: &str, start: u64, end: u64) -> Result<Bytes, ObjectError> {
        let (_, bytes) = self.get(key).await?;
        Ok(bytes.slice(start as usize..end as usize))
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo, ObjectError> {
        self.info(key)
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>, max: usize) -> Result<Vec<ObjectInfo>, ObjectError> {
        let mut keys = Vec::new();
        self.keys(&self.0.join("raw"), &mut keys).map_err(|e| error(prefix, &e))?;
        keys.retain(|key| key.starts_with(prefix) && start_after.is_none_or(|after| key.as_str() > after));
        keys.sort_unstable();
        keys.iter().take(max).map(|key| self.info(key)).collect()
    }

    async fn delete(&self, _: &str) -> Result<(), ObjectError> {
        read_only()
    }
}
