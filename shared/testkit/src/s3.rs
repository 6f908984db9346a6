//! A bucket of the embedded S3 server.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;

use bytes::Bytes;
use clickstream_columns::{RawRow, raw_batch, write_raw_object};
use clickstream_objects::{
    Notification, Objects as _, PutOptions,
    embedded::EmbeddedS3,
    s3::{S3Config, S3Objects},
};
use tempfile::TempDir;

/// A bucket on a folder of its own, which goes with it.
pub struct Bucket {
    /// Its client.
    pub objects: Arc<S3Objects>,
    url: String,
    s3: EmbeddedS3,
    _folder: TempDir,
}

impl Bucket {
    /// Starts an S3 server in the calling runtime.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let s3 = EmbeddedS3::start(folder.path(), "clickstream").await.unwrap();
        let objects = Arc::new(S3Objects::connect(s3.config()).await);
        let config = s3.config();
        let url = format!("s3://{}?endpoint={}&region={}", config.bucket, config.endpoint.as_deref().unwrap(), config.region);
        Self { objects, url, s3, _folder: folder }
    }

    /// How to reach it.
    pub fn config(&self) -> &S3Config {
        self.s3.config()
    }

    /// The variables by which a function reaches it.
    pub fn environment(&self) -> [(&'static str, &str); 3] {
        let config = self.config();
        [
            ("OBJECTS_URL", &self.url),
            ("AWS_ACCESS_KEY_ID", config.access_key.as_deref().unwrap()),
            ("AWS_SECRET_ACCESS_KEY", config.secret_key.as_deref().unwrap()),
        ]
    }

    /// `OBJECTS_URL` by which a function reaches it through `address`, `HOST:PORT`.
    pub fn url_through(&self, address: &str) -> String {
        let config = self.config();
        format!("s3://{}?endpoint=http://{address}&region={}", config.bucket, config.region)
    }

    /// `HOST:PORT` of the server.
    pub fn address(&self) -> String {
        let endpoint = self.config().endpoint.as_deref().unwrap();
        endpoint.strip_prefix("http://").unwrap_or(endpoint).trim_end_matches('/').to_owned()
    }

    /// Writes an object and answers its notification.
    pub async fn put(&self, key: &str, bytes: impl Into<Bytes>) -> Notification {
        let bytes = bytes.into();
        let size = bytes.len() as u64;
        let etag = self.objects.put(key, bytes, PutOptions::default()).await.unwrap();
        Notification { bucket: self.config().bucket.clone(), key: key.to_owned(), etag, size }
    }

    /// Writes a raw object with these rows, in offset order, and answers its notification.
    pub async fn land(&self, log_id: &str, partition: u32, rows: &[(u64, RawRow)]) -> Notification {
        let (first, last) = (rows[0].0, rows[rows.len() - 1].0);
        let bytes = write_raw_object(&raw_batch(log_id, partition, rows).unwrap()).unwrap();
        self.put(&format!("raw/events/{log_id}/{partition:05}/{last:020}-{first:020}.parquet"), bytes).await
    }

    /// The keys under `prefix`.
    pub async fn keys(&self, prefix: &str) -> Vec<String> {
        self.objects.list(prefix, None, 10_000).await.unwrap().into_iter().map(|o| o.key).collect()
    }
}
