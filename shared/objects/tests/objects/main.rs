//! The bucket: the embedded one and `MinIO`, under one suite.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bucket_setup;
mod embedded;
mod minio;
