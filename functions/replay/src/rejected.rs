//! Rejected records through today's validation.
//!
//! A record keeps its moment of arrival and its id. One without an id gets `UUIDv5` of its site and its place in the log,
//! so that playing it twice gives the same event.

use std::sync::Arc;

use clickstream_erasure::Erased;
use clickstream_event::{Arrival, Event, Outcome, RawEvent, Rejection, Shape, Site, admit, named_site, parse_record};
use clickstream_log::{EVENTS, LoggedRecord, REJECTED, event_record};
use clickstream_telemetry::metric;
use serde_json::Value;

use crate::{Replay, ReplayError, ReplayReport, ReplayRequest, Sample};

/// Records read and logged at a time.
const BATCH: usize = 500;
/// Bytes read at a time.
const BATCH_BYTES: usize = 4 << 20;
/// Samples in a report.
const SAMPLES: usize = 20;
/// Longest id that validation takes, bytes.
const LONGEST_ID: usize = 500;

/// Where records of one partition stand.
#[derive(Clone, Copy)]
struct Place<'a> {
    log_id: &'a str,
    partition: u32,
}

pub async fn replay(replay: &Replay, request: &ReplayRequest, from: u64, to: u64, erased: &Erased) -> Result<ReplayReport, ReplayError> {
    let mut report = ReplayReport { dry_run: request.dry_run, ..ReplayReport::default() };
    let log_id = replay.log.log_id().await?;
    for extent in replay.log.extents(REJECTED).await? {
        let mut next = from.max(extent.start);
        let end = to.min(extent.end);
        while next < end {
            let records = replay.log.read(REJECTED, extent.partition, next, BATCH, BATCH_BYTES).await?;
            let Some(last) = records.last() else { break };
            next = last.offset + 1;
            let mut taken = Vec::new();
            for record in records.iter().take_while(|record| record.offset < end) {
                if let Some(event) =
                    take(replay, request, Place { log_id: &log_id, partition: extent.partition }, record, erased, &mut report)
                {
                    taken.push(event_record(&event)?);
                }
            }
            report.taken += taken.len() as u64;
            if !request.dry_run && !taken.is_empty() {
                metrics::counter!(metric::REPLAYED, "source" => "rejected", "outcome" => "taken").increment(taken.len() as u64);
                replay.log.append(EVENTS, taken).await?;
            }
        }
    }
    let refused = report.still_rejected.values().sum();
    metrics::counter!(metric::REPLAYED, "source" => "rejected", "outcome" => "refused").increment(refused);
    Ok(report)
}

/// The event that a record is now, noted in the report; none if it still is none, or is of another site.
fn take(
    replay: &Replay,
    request: &ReplayRequest,
    place: Place<'_>,
    record: &LoggedRecord,
    erased: &Erased,
    report: &mut ReplayReport,
) -> Option<Event> {
    let partition = place.partition;
    let rejection: Rejection = match serde_json::from_slice(&record.record.value) {
        Ok(rejection) => rejection,
        Err(error) => {
            tracing::error!(topic = REJECTED, partition, offset = record.offset, %error, "a record is no rejection; left out");
            report.read += 1;
            *report.still_rejected.entry("undecodable".to_owned()).or_default() += 1;
            return None;
        }
    };
    if (request.site.is_some() && request.site != rejection.site_id) || !request.covers(rejection.received_at) {
        return None;
    }
    report.read += 1;
    if erased.erases_rejection(&rejection) {
        report.erased += 1;
        return None;
    }
    match judge(replay, &rejection, place, record.offset) {
        Ok(event) if erased.erases(&event) => {
            report.erased += 1;
            None
        }
        Ok(event) if request.action.is_some_and(|action| action != event.action) => None,
        Ok(event) => {
            if report.samples.len() < SAMPLES {
                report.samples.push(Sample { partition, offset: record.offset, event_id: event.event_id });
            }
            Some(event)
        }
        Err(code) => {
            *report.still_rejected.entry(code).or_default() += 1;
            None
        }
    }
}

/// The event that the record is now, or the code of the first reason why it still is none.
fn judge(replay: &Replay, rejection: &Rejection, place: Place<'_>, offset: u64) -> Result<Event, String> {
    let parsed = parse_record(rejection.original.as_bytes(), rejection.shape).map_err(|_| "malformed")?;
    let site =
        rejection.site_id.as_deref().or_else(|| named_site(&parsed)).and_then(|name| replay.sites.by_id(name)).ok_or("site_missing")?;
    let mut raw = RawEvent { shape: rejection.shape, ..parsed };
    let id_field = match raw.shape {
        Shape::Segment => "messageId",
        Shape::Canonical => "event_id",
        Shape::Clicks => "id",
    };
    if !raw.fields.get(id_field).is_some_and(is_id) {
        // The id that the service made and told the sender; else the record's place.
        let id = rejection.event_id.map_or_else(|| format!("rejected/{}/{}/{offset}", place.log_id, place.partition), |id| id.to_string());
        raw.fields.insert(id_field.to_owned(), Value::String(id));
    }
    let arrival =
        Arrival { received_at: rejection.received_at, source: rejection.source, ip: None, user_agent: None, country: None, sent_at: None };
    // What a cookieless site keeps of a rejected event has the visitor's id in it already.
    let site = if site.cookieless { Arc::new(Site { cookieless: false, ..Arc::unwrap_or_clone(site) }) } else { site };
    match admit(&raw, &site, &arrival) {
        Outcome::Accepted(event, _) => Ok(*event),
        Outcome::Rejected(still) => Err(still.reasons.first().map_or("unknown", |r| r.code.as_str()).to_owned()),
    }
}

/// True for what validation takes as an id. Anything else would get another id each time it is played.
fn is_id(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.trim().is_empty() && text.trim().len() <= LONGEST_ID,
        Value::Number(_) => true,
        _ => false,
    }
}
