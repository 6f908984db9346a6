//! Rejected records through today's validation.
//!
//! A record keeps its moment of arrival; one that has no id gets `UUIDv5` of its site and its place, so that playing it
//! twice gives the same event.

use clickstream_event::{Arrival, Event, Outcome, RawEvent, Rejection, admit, parse_record};
use clickstream_log::{EVENTS, REJECTED, Record};
use serde_json::Value;

use crate::{Replay, ReplayError, ReplayReport, ReplayRequest, Sample};

/// Records read and logged at a time.
const BATCH: usize = 500;
/// Samples in a report.
const SAMPLES: usize = 20;

pub async fn replay(replay: &Replay, request: &ReplayRequest, from: u64, to: u64) -> Result<ReplayReport, ReplayError> {
    let mut report = ReplayReport { dry_run: request.dry_run, ..ReplayReport::default() };
    for extent in replay.log.extents(REJECTED).await? {
        let mut next = from.max(extent.start);
        let end = to.min(extent.end);
        while next < end {
            let records = replay.log.read(REJECTED, extent.partition, next, BATCH, 4 << 20).await?;
            let Some(last) = records.last() else { break };
            next = last.offset + 1;
            let mut taken = Vec::new();
            for record in records.iter().take_while(|r| r.offset < end) {
                let Ok(rejection) = serde_json::from_slice::<Rejection>(&record.record.value) else { continue };
                if request.site.is_some() && request.site != rejection.site_id {
                    continue;
                }
                report.read += 1;
                match judge(replay, &rejection, extent.partition, record.offset) {
                    Ok(event) => {
                        if report.samples.len() < SAMPLES {
                            report.samples.push(Sample { partition: extent.partition, offset: record.offset, event_id: event.event_id });
                        }
                        let value = serde_json::to_vec(&event).unwrap_or_default().into();
                        taken.push(Record { key: Some(event.record_key().into()), value, headers: Vec::new() });
                    }
                    Err(code) => *report.still_rejected.entry(code).or_default() += 1,
                }
            }
            report.taken += taken.len() as u64;
            if !request.dry_run && !taken.is_empty() {
                replay.log.append(EVENTS, taken).await?;
            }
        }
    }
    Ok(report)
}

/// The event that the record is now, or the code of the first reason why it still is none.
fn judge(replay: &Replay, rejection: &Rejection, partition: u32, offset: u64) -> Result<Event, String> {
    let site = rejection.site_id.as_deref().and_then(|s| replay.sites.by_id(s)).ok_or("site_missing")?;
    let parsed = parse_record(rejection.original.as_bytes(), rejection.shape).map_err(|_| "malformed")?;
    let mut raw = RawEvent { shape: rejection.shape, ..parsed };
    let id_field = match raw.shape {
        clickstream_event::Shape::Segment => "messageId",
        clickstream_event::Shape::Canonical => "event_id",
        clickstream_event::Shape::Clicks => "id",
    };
    if raw.fields.get(id_field).is_none_or(|v| v.is_null() || v == "") {
        raw.fields.insert(id_field.to_owned(), Value::String(format!("rejected/{partition}/{offset}")));
    }
    let arrival =
        Arrival { received_at: rejection.received_at, source: rejection.source, ip: None, user_agent: None, country: None, sent_at: None };
    match admit(&raw, &site, &arrival) {
        Outcome::Accepted(event, _) => Ok(*event),
        Outcome::Rejected(still) => Err(still.reasons.first().map_or("unknown", |r| r.code.as_str()).to_owned()),
    }
}
