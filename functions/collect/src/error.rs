//! Why a request as a whole is refused.

use std::time::Duration;

use bytes::Bytes;
use clickstream_event::{BodyError, Rate};
use clickstream_spill::KeepError;
use http::{HeaderValue, Response, StatusCode, header};

use crate::quota::Whose;

/// How long a sender waits before it tries again, seconds.
const RETRY_AFTER: &str = "5";

/// A request that is answered with a problem (RFC 9457).
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// Nothing is at the path.
    #[error(
        "nothing is collected at {0}: POST to /v1/track, /v1/page, /v1/screen, /v1/identify, /v1/group, /v1/alias, /v1/batch, /v1/events or /clicks"
    )]
    NotFound(String),
    /// A method that the path does not answer, and those that it does.
    #[error("this path answers {1}, not {0}")]
    Method(String, &'static str),
    /// No key.
    #[error("no write key was sent: send it as the user name of Basic authorization, as writeKey in the body, or as ?writeKey=")]
    KeyMissing,
    /// A key of no site.
    #[error("the write key belongs to no site")]
    KeyUnknown,
    /// Settings were asked for by a key of no site.
    #[error("there are no settings: the write key belongs to no site")]
    SettingsUnknown,
    /// A page of an origin that the site does not list.
    #[error("the site does not take events from pages of {0}")]
    Origin(String),
    /// A content type that is no JSON.
    #[error("the content type {0:?} is not taken: send application/json, or text/plain from a beacon")]
    ContentType(String),
    /// A compression that is not known.
    #[error("the encoding {0:?} is not taken: send gzip, deflate, br, zstd or nothing")]
    Encoding(String),
    /// A body that does not decompress.
    #[error("the body is no whole {0} stream")]
    Compressed(&'static str),
    /// A body over its limit.
    #[error("the body takes more than {0} bytes: send fewer events at once")]
    TooLarge(usize),
    /// A body that holds no events.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// Parameters of an image that hold no event.
    #[error("the address of the image holds no event: {0}")]
    Pixel(String),
    /// More events than the site takes now; the same request may be sent again after `wait`.
    #[error(
        "{whose} sends more than its {} events a second, {} at once; send the request again in {} s",
        .rate.events_per_second, .rate.burst, seconds(.wait)
    )]
    OverQuota {
        /// Whose quota is used up.
        whose: Whose,
        /// The quota.
        rate: Rate,
        /// When the request may pass.
        wait: Duration,
    },
    /// More events than the site ever takes at once.
    #[error("{events} events are more than the site's quota takes at once: send at most {burst} in a request")]
    OverBurst {
        /// Events of the request.
        events: u32,
        /// Events at once.
        burst: u32,
    },
    /// Nothing was written; the same request may be sent again.
    #[error("events cannot be kept at the moment; send the request again later")]
    Unavailable(#[from] KeepError),
    /// What was taken cannot be written; nothing was kept. It takes an operator.
    #[error("an event cannot be written; nothing of the request was kept")]
    Encode(#[from] serde_json::Error),
}

/// Whole seconds that are not too short, one at least.
fn seconds(wait: &Duration) -> u64 {
    wait.as_nanos().div_ceil(1_000_000_000).max(1) as u64
}

impl CollectError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) | Self::SettingsUnknown => StatusCode::NOT_FOUND,
            Self::Method(..) => StatusCode::METHOD_NOT_ALLOWED,
            Self::KeyMissing | Self::KeyUnknown => StatusCode::UNAUTHORIZED,
            Self::Origin(_) => StatusCode::FORBIDDEN,
            Self::ContentType(_) | Self::Encoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) | Self::OverBurst { .. } | Self::Body(BodyError::TooMany(..)) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::OverQuota { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Body(BodyError::WrongShape(_)) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Compressed(_) | Self::Body(_) | Self::Pixel(_) => StatusCode::BAD_REQUEST,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Encode(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What machines read.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Method(..) => "method_not_allowed",
            Self::KeyMissing => "write_key_missing",
            Self::KeyUnknown | Self::SettingsUnknown => "write_key_unknown",
            Self::Origin(_) => "origin_refused",
            Self::ContentType(_) => "content_type",
            Self::Encoding(_) => "content_encoding",
            Self::Compressed(_) => "body_compressed_wrong",
            Self::TooLarge(_) => "body_too_large",
            Self::Body(BodyError::NotUtf8(_)) => "body_not_utf8",
            Self::Body(BodyError::NotJson(_)) => "body_not_json",
            Self::Body(BodyError::TooDeep(_)) => "body_too_deep",
            Self::Body(BodyError::WrongShape(_)) => "body_wrong_shape",
            Self::Body(BodyError::TooMany(..)) => "too_many_events",
            Self::Pixel(_) => "pixel_wrong",
            Self::OverQuota { .. } => "quota_exceeded",
            Self::OverBurst { .. } => "burst_exceeded",
            Self::Unavailable(_) => "unavailable",
            Self::Encode(_) => "internal",
        }
    }

    /// The answer to the sender. What failed inside is for the logs alone.
    pub fn response(&self) -> Response<Bytes> {
        let mut response = clickstream_problem::answer(self.status(), self.code(), &self.to_string());
        let headers = response.headers_mut();
        match self {
            Self::Method(_, methods) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(methods));
            }
            Self::KeyMissing | Self::KeyUnknown => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"write key\""));
            }
            Self::OverQuota { wait, .. } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
            }
            Self::Unavailable(_) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
            }
            _ => {}
        }
        response
    }
}
