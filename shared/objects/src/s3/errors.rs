//! S3's errors as what a caller can do about them.

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use crate::ObjectError;

/// The error of a call about `key`.
pub fn of<E>(key: &str, error: SdkError<E, HttpResponse>) -> ObjectError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let Some(status) = error.raw_response().map(|r| r.status().as_u16()) else {
        return ObjectError::Unavailable(with_causes(&error));
    };
    let code = error.code().unwrap_or_default().to_owned();
    let said = match error.message() {
        Some(message) => format!("{code} ({status}): {message}"),
        None => format!("{code} ({status})"),
    };
    match status {
        507 => ObjectError::Full,
        _ if code == "XMinioStorageFull" => ObjectError::Full,
        404 if code == "NoSuchBucket" => ObjectError::Refused(said),
        404 => ObjectError::NotFound(key.to_owned()),
        409 | 412 => ObjectError::PreconditionFailed(key.to_owned()),
        // What the server does not know now, it will not know later.
        501 => ObjectError::Refused(said),
        408 | 429 | 500..=599 => ObjectError::Unavailable(said),
        _ => ObjectError::Refused(said),
    }
}

/// An error and its causes, on one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
