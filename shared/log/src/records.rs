//! Events and rejections as records: which key, and how they are written.

use bytes::Bytes;
use clickstream_event::{Event, Rejection};
use clickstream_telemetry::trace;

use crate::{MAX_RECORD_BYTES, Record};

/// Of a rejection that is over the log's limit so many bytes of the original are kept. JSON may take six bytes to
/// write one, so that what is kept always fits.
const KEPT_BYTES: usize = 128 << 10;
/// What a log counts of a header beside its name and value, bytes, at most.
const HEADER_BYTES: usize = 16;

/// A record of topic [`EVENTS`](crate::EVENTS): repeats of an event meet in one partition.
pub fn event_record(event: &Event) -> Result<Record, serde_json::Error> {
    Ok(Record { key: Some(event.record_key().into()), value: serde_json::to_vec(event)?.into(), headers: headers() })
}

/// A record of topic [`REJECTED`](crate::REJECTED), always within the log's limit: a record that no log takes would have its sender try
/// again for ever.
pub fn rejection_record(rejection: &Rejection) -> Result<Record, serde_json::Error> {
    let headers = headers();
    let taken: usize = headers.iter().map(|(name, value)| name.len() + value.len() + HEADER_BYTES).sum();
    let mut value = serde_json::to_vec(rejection)?;
    if value.len() + taken > MAX_RECORD_BYTES {
        let mut cut = rejection.clone();
        cut.original.truncate(cut.original.floor_char_boundary(KEPT_BYTES));
        if let Some(reason) = cut.reasons.first_mut() {
            reason.message = format!("{}; of the original the first {} bytes are kept", reason.message, cut.original.len());
        }
        value = serde_json::to_vec(&cut)?;
    }
    Ok(Record { key: None, value: value.into(), headers })
}

/// The span that made a record, where it is traced: whoever reads the record goes on with it.
fn headers() -> Vec<(String, Bytes)> {
    trace::carried().into_iter().map(|(name, value)| (name, value.into())).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clickstream_event::{Micros, Reason, ReasonCode, Shape, Source};

    use super::*;

    #[test]
    fn a_rejection_of_any_size_fits_the_log() {
        for original in ["\u{1}".repeat(1 << 20), "ы".repeat(1 << 20), "x".to_owned()] {
            let rejection = Rejection {
                site_id: None,
                event_id: None,
                message_id: None,
                received_at: Micros(0),
                source: Source::Http,
                shape: Shape::Canonical,
                reasons: vec![Reason { code: ReasonCode::TooLarge, field: None, message: "too large".to_owned() }],
                original,
            };
            let record = rejection_record(&rejection).unwrap();
            assert!(record.value.len() <= MAX_RECORD_BYTES);
            let kept: Rejection = serde_json::from_slice(&record.value).unwrap();
            assert!(rejection.original.starts_with(&kept.original) && !kept.original.is_empty());
            assert_eq!(kept.original != rejection.original, kept.reasons[0].message.contains("are kept"));
        }
    }
}
