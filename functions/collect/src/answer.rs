//! The answer: each event's fate, in the order sent.

use bytes::Bytes;
use clickstream_event::{Reason, Verdict};
use http::{HeaderValue, Response, header};
use serde::Serialize;
use uuid::Uuid;

/// One event's fate.
#[derive(Debug, Serialize)]
pub struct Fate {
    /// The client's own id as sent.
    #[serde(rename = "messageId")]
    pub message_id: Option<String>,
    /// The event's id in the service.
    pub event_id: Option<Uuid>,
    /// accepted, suspicious (kept, with warnings) or rejected.
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

#[derive(Serialize)]
struct Answer<'a> {
    /// Segment's clients look for it.
    success: bool,
    results: &'a [Fate],
}

/// 200 with the fates.
pub fn answer(results: &[Fate]) -> Result<Response<Bytes>, serde_json::Error> {
    let body = serde_json::to_vec(&Answer { success: true, results })?;
    let mut response = Response::new(Bytes::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
