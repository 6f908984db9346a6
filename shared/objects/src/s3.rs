//! S3 by aws-sdk-s3: AWS, MinIO, the embedded server.

mod config;
mod errors;
mod inspect;
mod lifecycle;
mod multipart;
mod setup;
mod tags;
mod versions;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use aws_sdk_s3::{Client, operation::put_object::builders::PutObjectFluentBuilder, primitives::ByteStream as Body};
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::sync::OnceCell;

pub use config::{S3Config, S3ConfigError};
pub use inspect::{Announcement, unannounced};
pub use lifecycle::Lifecycle;

use crate::{ByteStream, Condition, ObjectError, ObjectInfo, Objects, PutOptions, VersionCursor, VersionPage};

/// Files above this size are written in parts, bytes.
const MULTIPART_ABOVE: u64 = 16 << 20;
/// Most keys of one listing call (S3's own limit).
const PAGE: usize = 1_000;

/// One bucket by S3's API.
#[derive(Clone, Debug)]
pub struct S3Objects {
    config: S3Config,
    client: Arc<OnceCell<Client>>,
}

impl S3Objects {
    /// The bucket that `config` names. The client is made by the first call, for who may never make one: it takes tens
    /// of milliseconds.
    pub fn new(config: S3Config) -> Self {
        Self { config, client: Arc::default() }
    }

    /// The bucket that `config` names, with its client ready. Nothing is asked yet.
    pub async fn connect(config: &S3Config) -> Self {
        let objects = Self::new(config.clone());
        objects.client().await;
        objects
    }

    async fn client(&self) -> &Client {
        self.client.get_or_init(|| self.config.client()).await
    }

    fn bucket(&self) -> &str {
        &self.config.bucket
    }

    async fn put_request(&self, key: &str, options: &PutOptions) -> PutObjectFluentBuilder {
        let mut request = self.client().await.put_object().bucket(self.bucket()).key(key).set_content_type(options.content_type.clone());
        for (name, value) in &options.metadata {
            request = request.metadata(name, value);
        }
        match &options.condition {
            Condition::None => request,
            Condition::Absent => request.if_none_match("*"),
            Condition::Matches(etag) => request.if_match(quoted(etag)),
        }
    }
}

#[async_trait]
impl Objects for S3Objects {
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<String, ObjectError> {
        let sent = self.put_request(key, &options).await.body(Body::from(body)).send().await;
        Ok(unquoted(sent.map_err(|e| errors::of(key, e))?.e_tag()))
    }

    async fn put_file(&self, key: &str, path: &Path, options: PutOptions) -> Result<String, ObjectError> {
        let unreadable = |e: std::io::Error| ObjectError::Refused(format!("{}: {e}", path.display()));
        let size = tokio::fs::metadata(path).await.map_err(unreadable)?.len();
        if size > MULTIPART_ABOVE {
            return multipart::put(self.client().await, self.bucket(), key, path, size, &options).await;
        }
        let bytes = tokio::fs::read(path).await.map_err(unreadable)?;
        self.put(key, bytes.into(), options).await
    }

    async fn get(&self, key: &str) -> Result<(ObjectInfo, Bytes), ObjectError> {
        let (info, mut stream) = self.get_stream(key).await?;
        let mut body = Vec::with_capacity(info.size as usize);
        while let Some(chunk) = stream.next().await {
            body.extend_from_slice(&chunk?);
        }
        Ok((info, body.into()))
    }

    async fn get_stream(&self, key: &str) -> Result<(ObjectInfo, ByteStream), ObjectError> {
        let got = self.client().await.get_object().bucket(self.bucket()).key(key).send().await.map_err(|e| errors::of(key, e))?;
        let info = ObjectInfo {
            key: key.to_owned(),
            size: got.content_length().and_then(|l| u64::try_from(l).ok()).unwrap_or(0),
            etag: unquoted(got.e_tag()),
            modified_at: micros(got.last_modified()),
            metadata: got.metadata().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect(),
        };
        let stream = futures::stream::unfold(got.body, |mut body| async move {
            let chunk = body.next().await?;
            Some((chunk.map_err(|e| ObjectError::Unavailable(e.to_string())), body))
        });
        Ok((info, stream.boxed()))
    }

    async fn get_range(&self, key: &str, start: u64, end: u64) -> Result<Bytes, ObjectError> {
        if end <= start {
            return Ok(Bytes::new());
        }
        let request = self.client().await.get_object().bucket(self.bucket()).key(key).range(format!("bytes={start}-{}", end - 1));
        let got = request.send().await.map_err(|e| errors::of(key, e))?;
        Ok(got.body.collect().await.map_err(|e| ObjectError::Unavailable(e.to_string()))?.into_bytes())
    }

    async fn head(&self, key: &str) -> Result<ObjectInfo, ObjectError> {
        let head = self.client().await.head_object().bucket(self.bucket()).key(key).send().await.map_err(|e| errors::of(key, e))?;
        Ok(ObjectInfo {
            key: key.to_owned(),
            size: head.content_length().and_then(|l| u64::try_from(l).ok()).unwrap_or(0),
            etag: unquoted(head.e_tag()),
            modified_at: micros(head.last_modified()),
            metadata: head.metadata().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect(),
        })
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>, max: usize) -> Result<Vec<ObjectInfo>, ObjectError> {
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        while found.len() < max {
            let wanted = (max - found.len()).min(PAGE);
            let request = self.client().await.list_objects_v2().bucket(self.bucket()).prefix(prefix).max_keys(wanted as i32);
            let request = request.set_start_after(start_after.map(str::to_owned)).set_continuation_token(token.take());
            let page = request.send().await.map_err(|e| errors::of(prefix, e))?;
            found.extend(page.contents().iter().map(|o| ObjectInfo {
                key: o.key().unwrap_or_default().to_owned(),
                size: o.size().and_then(|s| u64::try_from(s).ok()).unwrap_or(0),
                etag: unquoted(o.e_tag()),
                modified_at: micros(o.last_modified()),
                metadata: std::collections::BTreeMap::new(),
            }));
            token = page.next_continuation_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        Ok(found)
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        self.client().await.delete_object().bucket(self.bucket()).key(key).send().await.map_err(|e| errors::of(key, e))?;
        Ok(())
    }

    async fn delete_old_versions(&self, key: &str) -> Result<u64, ObjectError> {
        versions::delete_old(self.client().await, self.bucket(), key).await
    }

    async fn keeps_versions(&self) -> Result<bool, ObjectError> {
        versions::kept(self.client().await, self.bucket()).await
    }

    async fn delete_whole(&self, key: &str) -> Result<u64, ObjectError> {
        let client = self.client().await;
        if !versions::kept(client, self.bucket()).await? {
            return self.delete(key).await.map(|()| 1);
        }
        versions::delete_whole(client, self.bucket(), key).await
    }

    async fn versions(&self, prefix: &str, after: Option<&VersionCursor>) -> Result<VersionPage, ObjectError> {
        versions::page(self.client().await, self.bucket(), prefix, after).await
    }

    async fn get_version(&self, key: &str, version_id: &str) -> Result<Bytes, ObjectError> {
        versions::get(self.client().await, self.bucket(), key, version_id).await
    }

    async fn delete_version(&self, key: &str, version_id: &str) -> Result<(), ObjectError> {
        versions::delete(self.client().await, self.bucket(), key, version_id).await
    }

    async fn tag(&self, key: &str, name: &str, value: &str) -> Result<bool, ObjectError> {
        tags::add(self.client().await, self.bucket(), key, name, value).await
    }
}

fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

fn unquoted(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}

fn micros(time: Option<&aws_sdk_s3::primitives::DateTime>) -> i64 {
    time.map_or(0, |t| t.secs() * 1_000_000 + i64::from(t.subsec_nanos() / 1_000))
}
