//! Tags of objects, by which rules of a bucket choose them.

use aws_sdk_s3::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    types::{Tag, Tagging},
};

use super::errors;
use crate::ObjectError;

/// Puts the tag `name` = `value` on `key` beside those that it has; false if it has it already.
pub async fn add(client: &Client, bucket: &str, key: &str, name: &str, value: &str) -> Result<bool, ObjectError> {
    let found = client.get_object_tagging().bucket(bucket).key(key).send().await.map_err(|error| failed(key, error))?;
    if found.tag_set().iter().any(|tag| tag.key() == name && tag.value() == value) {
        return Ok(false);
    }
    let wrong = |error: aws_sdk_s3::error::BuildError| ObjectError::Refused(error.to_string());
    let others = found.tag_set().iter().filter(|tag| tag.key() != name).cloned().collect::<Vec<_>>();
    let tag = Tag::builder().key(name).value(value).build().map_err(wrong)?;
    let all = Tagging::builder().set_tag_set(Some(others)).tag_set(tag).build().map_err(wrong)?;
    let put = client.put_object_tagging().bucket(bucket).key(key).tagging(all).send().await;
    put.map(|_| true).map_err(|error| failed(key, error))
}

/// A server that knows no tags says so.
fn failed<E>(key: &str, error: SdkError<E, HttpResponse>) -> ObjectError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match error.code() {
        Some("NotImplemented" | "MethodNotAllowed") => ObjectError::no_tags(key),
        _ => errors::of(key, error),
    }
}
