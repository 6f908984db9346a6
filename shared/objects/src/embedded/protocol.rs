//! S3's calls on the index and the files.

mod parts;

use std::{
    io::SeekFrom,
    path::PathBuf,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures::StreamExt as _;
use s3s::{
    S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result,
    crypto::{Checksum as _, Md5},
    dto::{
        AbortMultipartUploadInput, AbortMultipartUploadOutput, CommonPrefix, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
        CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput,
        DeleteObjectsOutput, DeletedObject, ETag, ETagCondition, GetBucketVersioningInput, GetBucketVersioningOutput, GetObjectInput,
        GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output,
        Metadata, Object, PutObjectInput, PutObjectOutput, StreamingBlob, Timestamp, UploadPartInput, UploadPartOutput,
    },
    s3_error,
};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use tokio_util::io::ReaderStream;

use super::{
    files,
    index::{Entry, Index, Written},
    outbox::Outbox,
};
use crate::{Condition, ObjectError};

/// Longest key, bytes (S3's own limit).
const LONGEST_KEY: usize = 1_024;
/// Most keys of one listing (S3's own limit).
const MOST_KEYS: usize = 1_000;

/// The bucket behind the protocol.
pub struct Bucket {
    index: Arc<Index>,
    outbox: Arc<Outbox>,
    name: String,
}

impl Bucket {
    /// The bucket `name`.
    pub fn new(index: Arc<Index>, outbox: Arc<Outbox>, name: &str) -> Self {
        Self { index, outbox, name: name.to_owned() }
    }

    fn check(&self, bucket: &str) -> S3Result<()> {
        if bucket == self.name { Ok(()) } else { Err(s3_error!(NoSuchBucket, "the embedded store has one bucket")) }
    }

    /// Runs `work` on the index in a thread that may block.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Index) -> Result<T, ObjectError> + Send + 'static) -> S3Result<T> {
        let index = Arc::clone(&self.index);
        let done = tokio::task::spawn_blocking(move || work(&index)).await;
        done.map_err(|e| S3Error::with_message(S3ErrorCode::InternalError, e.to_string()))?.map_err(refusal)
    }

    async fn entry(&self, bucket: &str, key: String) -> S3Result<Entry> {
        self.check(bucket)?;
        self.run(move |index| Ok(index.get(&key)?)).await?.ok_or_else(|| s3_error!(NoSuchKey))
    }

    /// Takes a body into a new file, synced; answers the file, its size and MD5.
    async fn take(&self, body: StreamingBlob, expected_md5: Option<String>) -> S3Result<(PathBuf, u64, [u8; 16])> {
        let path = self.index.files.incoming();
        let taken = write_body(&path, body).await;
        let outcome = taken.and_then(|(size, md5)| match expected_md5 {
            Some(expected) if BASE64_STANDARD.encode(md5) != expected => Err(s3_error!(BadDigest, "the body is not what Content-MD5 says")),
            _ => Ok((path.clone(), size, md5)),
        });
        if outcome.is_err() {
            let _ = tokio::fs::remove_file(&path).await;
        }
        outcome
    }

    async fn stand(&self, key: String, condition: Condition, written: Written) -> S3Result<Entry> {
        let entry = self.run(move |index| index.put(&key, &condition, written)).await?;
        self.outbox.wake();
        Ok(entry)
    }
}

async fn write_body(path: &std::path::Path, mut body: StreamingBlob) -> S3Result<(u64, [u8; 16])> {
    let failed = |e: std::io::Error| refusal(clickstream_sqlite::Failure::of_io("an object", &e).into());
    let mut file = tokio::fs::File::from_std(files::create(path).map_err(failed)?);
    let mut md5 = Md5::new();
    let mut size = 0;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|e| S3Error::with_message(S3ErrorCode::IncompleteBody, e.to_string()))?;
        md5.update(&chunk);
        size += chunk.len() as u64;
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    file.sync_all().await.map_err(failed)?;
    Ok((size, md5.finalize()))
}

fn refusal(error: ObjectError) -> S3Error {
    match error {
        ObjectError::NotFound(_) => s3_error!(NoSuchKey),
        ObjectError::PreconditionFailed(key) => S3Error::with_message(S3ErrorCode::PreconditionFailed, key),
        ObjectError::Full => {
            let mut error = S3Error::with_message(S3ErrorCode::Custom("XMinioStorageFull".into()), "the disk is full");
            error.set_status_code(http::StatusCode::INSUFFICIENT_STORAGE);
            error
        }
        ObjectError::Unavailable(why) => S3Error::with_message(S3ErrorCode::ServiceUnavailable, why),
        ObjectError::Refused(why) => S3Error::with_message(S3ErrorCode::InvalidRequest, why),
    }
}

fn check_key(key: &str) -> S3Result<()> {
    if key.len() > LONGEST_KEY {
        return Err(s3_error!(KeyTooLongError, "a key has at most 1024 bytes"));
    }
    if key.contains('\0') { Err(s3_error!(InvalidArgument, "a key has no NUL")) } else { Ok(()) }
}

fn condition(if_match: Option<&ETagCondition>, if_none_match: Option<&ETagCondition>) -> S3Result<Condition> {
    match (if_match, if_none_match) {
        (None, None) => Ok(Condition::None),
        (None, Some(ETagCondition::Any)) => Ok(Condition::Absent),
        (Some(ETagCondition::ETag(etag)), None) => Ok(Condition::Matches(etag.value().to_owned())),
        _ => Err(s3_error!(NotImplemented, "of conditions, If-None-Match: * and If-Match with an ETag are taken, one at a time")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn modified(entry: &Entry) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_micros(entry.modified_at.max(0).cast_unsigned()))
}

fn metadata(entry: &Entry) -> Option<Metadata> {
    (!entry.metadata.is_empty()).then(|| entry.metadata.clone().into_iter().collect())
}

#[async_trait::async_trait]
impl S3 for Bucket {
    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.check(&request.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    /// Never switched on: there is one version of an object.
    async fn get_bucket_versioning(&self, request: S3Request<GetBucketVersioningInput>) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        self.check(&request.input.bucket)?;
        Ok(S3Response::new(GetBucketVersioningOutput::default()))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        self.check(&input.bucket)?;
        check_key(&input.key)?;
        let condition = condition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let body = input.body.ok_or_else(|| s3_error!(IncompleteBody))?;
        let (file, size, md5) = self.take(body, input.content_md5).await?;
        let written = Written {
            file,
            size,
            etag: hex(&md5),
            content_type: input.content_type,
            metadata: input.metadata.into_iter().flatten().collect(),
        };
        let entry = self.stand(input.key, condition, written).await?;
        Ok(S3Response::new(PutObjectOutput { e_tag: Some(ETag::Strong(entry.etag)), ..Default::default() }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let entry = self.entry(&input.bucket, input.key).await?;
        let (range, content_range) = match input.range {
            None => (0..entry.size, None),
            Some(range) => {
                let range = range.check(entry.size)?;
                let said = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), entry.size);
                (range, Some(said))
            }
        };
        let length = range.end - range.start;
        let gone = |e: std::io::Error| S3Error::with_message(S3ErrorCode::InternalError, e.to_string());
        let mut file = tokio::fs::File::open(self.index.files.path(&entry.file)).await.map_err(gone)?;
        file.seek(SeekFrom::Start(range.start)).await.map_err(gone)?;
        let body = ReaderStream::with_capacity(file.take(length), 128 << 10);
        Ok(S3Response::new(GetObjectOutput {
            body: Some(StreamingBlob::wrap(body)),
            content_length: Some(length.cast_signed()),
            content_range,
            content_type: entry.content_type.clone(),
            e_tag: Some(ETag::Strong(entry.etag.clone())),
            last_modified: Some(modified(&entry)),
            metadata: metadata(&entry),
            ..Default::default()
        }))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let entry = self.entry(&request.input.bucket, request.input.key).await?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(entry.size.cast_signed()),
            content_type: entry.content_type.clone(),
            e_tag: Some(ETag::Strong(entry.etag.clone())),
            last_modified: Some(modified(&entry)),
            metadata: metadata(&entry),
            ..Default::default()
        }))
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        self.check(&input.bucket)?;
        self.run(move |index| Ok(index.delete(&input.key)?)).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(&self, request: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let input = request.input;
        self.check(&input.bucket)?;
        let keys: Vec<String> = input.delete.objects.into_iter().map(|object| object.key).collect();
        if keys.len() > MOST_KEYS {
            return Err(s3_error!(MalformedXML, "at most 1000 keys are deleted at once"));
        }
        let quiet = input.delete.quiet == Some(true);
        let deleted = self
            .run(move |index| {
                for key in &keys {
                    index.delete(key)?;
                }
                Ok(keys.into_iter().map(|key| DeletedObject { key: Some(key), ..Default::default() }).collect())
            })
            .await?;
        Ok(S3Response::new(DeleteObjectsOutput { deleted: (!quiet).then_some(deleted), ..Default::default() }))
    }

    async fn list_objects_v2(&self, request: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        self.check(&input.bucket)?;
        let prefix = input.prefix.clone().unwrap_or_default();
        let most = input.max_keys.map_or(MOST_KEYS, |m| usize::try_from(m).unwrap_or(0).min(MOST_KEYS));
        // The token is the last key of the page before.
        let mut after = input.continuation_token.clone().or(input.start_after.clone()).unwrap_or_default();
        let (mut contents, mut folders) = (Vec::new(), Vec::<String>::new());
        let mut truncated = most > 0;
        while contents.len() + folders.len() < most {
            let (p, a, wanted) = (prefix.clone(), after.clone(), most - contents.len() - folders.len());
            let page = self.run(move |index| Ok(index.list(&p, &a, wanted)?)).await?;
            if page.is_empty() {
                truncated = false;
                break;
            }
            for entry in page {
                let delimiter = input.delimiter.as_deref().filter(|d| !d.is_empty());
                let folder =
                    delimiter.and_then(|d| entry.key[prefix.len()..].find(d).map(|at| entry.key[..prefix.len() + at + d.len()].to_owned()));
                if let Some(folder) = folder {
                    // Everything below the folder is passed over at once.
                    after = format!("{folder}\u{10ffff}");
                    if folders.last() != Some(&folder) {
                        folders.push(folder);
                    }
                    break;
                }
                after.clone_from(&entry.key);
                contents.push(Object {
                    e_tag: Some(ETag::Strong(entry.etag.clone())),
                    last_modified: Some(modified(&entry)),
                    size: Some(entry.size.cast_signed()),
                    key: Some(entry.key),
                    ..Default::default()
                });
            }
        }
        let count = contents.len() + folders.len();
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(prefix),
            max_keys: Some(most as i32),
            key_count: Some(count as i32),
            continuation_token: input.continuation_token,
            is_truncated: Some(truncated),
            next_continuation_token: truncated.then_some(after),
            contents: Some(contents),
            common_prefixes: Some(folders.into_iter().map(|f| CommonPrefix { prefix: Some(f) }).collect()),
            delimiter: input.delimiter,
            encoding_type: input.encoding_type,
            start_after: input.start_after,
            ..Default::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        self.create_upload(request.input).await.map(S3Response::new)
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        self.take_part(request.input).await.map(S3Response::new)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        self.complete_upload(request.input).await.map(S3Response::new)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.abort_upload(request.input).await.map(S3Response::new)
    }
}
