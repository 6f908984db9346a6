//! The answer: each event's fate, in the order sent.

use bytes::Bytes;
use clickstream_event::{Reason, Verdict};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// One event's fate.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fate {
    /// The client's own id as sent.
    #[serde(rename = "messageId")]
    pub message_id: Option<String>,
    /// The event's id in the service.
    pub event_id: Option<Uuid>,
    /// accepted, suspicious (kept, with warnings) or rejected.
    #[schema(pattern = "^(accepted|suspicious|rejected)$")]
    pub result: &'static str,
    /// Warnings, or why it was rejected.
    pub reasons: Vec<Reason>,
}

impl Fate {
    /// The word for a kept event.
    pub fn of(verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Valid => "accepted",
            Verdict::Suspicious => "suspicious",
        }
    }
}

/// What became of each event of a request, in the order sent.
#[derive(Serialize, ToSchema)]
pub struct Answer<'a> {
    /// Always true: Segment's clients look for it.
    success: bool,
    results: &'a [Fate],
}

/// What a sender prefers (RFC 7240), and what was done of it.
const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// 200 with the fates; 202 with the same for a sender that prefers `respond-async`.
pub fn answer(headers: &HeaderMap, results: &[Fate]) -> Result<Response<Bytes>, serde_json::Error> {
    let body = serde_json::to_vec(&Answer { success: true, results })?;
    let mut response = Response::new(Bytes::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if prefers_async(headers) {
        *response.status_mut() = StatusCode::ACCEPTED;
        response.headers_mut().insert(PREFERENCE_APPLIED, HeaderValue::from_static("respond-async"));
    }
    Ok(response)
}

fn prefers_async(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let name = |preference: &str| preference.split([';', '=']).next().unwrap_or_default().trim().to_ascii_lowercase();
    lines.flat_map(|line| line.split(',')).any(|preference| name(preference) == "respond-async")
}
