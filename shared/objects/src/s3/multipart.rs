//! Large files in parts.

use std::path::Path;

use aws_sdk_s3::{
    Client,
    primitives::{ByteStream as Body, Length},
    types::{CompletedMultipartUpload, CompletedPart},
};

use super::{errors, quoted, unquoted};
use crate::{Condition, ObjectError, PutOptions};

/// Bytes of a part; more where 10,000 parts would not hold the file.
const PART: u64 = 16 << 20;

/// Writes a file part by part; memory does not grow with it. A failed upload leaves nothing behind.
pub async fn put(client: &Client, bucket: &str, key: &str, path: &Path, size: u64, options: &PutOptions) -> Result<String, ObjectError> {
    let mut begin = client.create_multipart_upload().bucket(bucket).key(key).set_content_type(options.content_type.clone());
    for (name, value) in &options.metadata {
        begin = begin.metadata(name, value);
    }
    let begun = begin.send().await.map_err(|e| errors::of(key, e))?;
    let upload = begun.upload_id().unwrap_or_default();
    let outcome = send(client, bucket, key, path, size, upload, options).await;
    if outcome.is_err()
        && let Err(error) = client.abort_multipart_upload().bucket(bucket).key(key).upload_id(upload).send().await
    {
        tracing::debug!(key, error = %errors::of(key, error), "an upload could not be aborted");
    }
    outcome
}

async fn send(
    client: &Client,
    bucket: &str,
    key: &str,
    path: &Path,
    size: u64,
    upload: &str,
    options: &PutOptions,
) -> Result<String, ObjectError> {
    let part_size = PART.max(size.div_ceil(10_000));
    let mut parts = Vec::new();
    for (index, start) in (0..size).step_by(part_size as usize).enumerate() {
        let number = index as i32 + 1;
        let body = Body::read_from().path(path).offset(start).length(Length::Exact(part_size.min(size - start))).build().await;
        let body = body.map_err(|e| ObjectError::Refused(format!("{}: {e}", path.display())))?;
        let sent = client.upload_part().bucket(bucket).key(key).upload_id(upload).part_number(number).body(body).send().await;
        let sent = sent.map_err(|e| errors::of(key, e))?;
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build());
    }
    let all = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let mut complete = client.complete_multipart_upload().bucket(bucket).key(key).upload_id(upload).multipart_upload(all);
    complete = match &options.condition {
        Condition::None => complete,
        Condition::Absent => complete.if_none_match("*"),
        Condition::Matches(etag) => complete.if_match(quoted(etag)),
    };
    Ok(unquoted(complete.send().await.map_err(|e| errors::of(key, e))?.e_tag()))
}
