//! Records of topic `events` logged once more.
//!
//! A record keeps its id and both its times, so that it is the same event: every step does it again and it counts once.

use clickstream_erasure::Erased;
use clickstream_event::Event;
use clickstream_log::{EVENTS, Record};
use clickstream_telemetry::metric;

use crate::{Replay, ReplayError, ReplayReport, ReplayRequest, Sample, raw::Range};

/// Records read and logged at a time.
const BATCH: usize = 1_000;
/// Bytes read at a time.
const BATCH_BYTES: usize = 4 << 20;
/// Samples in a report.
const SAMPLES: usize = 20;

pub async fn replay(replay: &Replay, request: &ReplayRequest, range: &Range, erased: &Erased) -> Result<ReplayReport, ReplayError> {
    // Asked once: what this replay logs itself lies past these ends.
    let extents = replay.log.extents(EVENTS).await?;
    if let Some(partition) = range.partition.filter(|wanted| extents.iter().all(|extent| extent.partition != *wanted)) {
        return Err(ReplayError::Partition(partition, extents.len()));
    }
    let mut report = ReplayReport { dry_run: request.dry_run, ..ReplayReport::default() };
    for extent in extents.iter().filter(|extent| range.partition.is_none_or(|wanted| wanted == extent.partition)) {
        let (mut next, end) = (range.from.max(extent.start), range.to.min(extent.end));
        while next < end {
            let records = replay.log.read(EVENTS, extent.partition, next, BATCH, BATCH_BYTES).await?;
            let Some(last) = records.last() else { break };
            next = last.offset + 1;
            let (mut taken, mut ids) = (Vec::new(), Vec::new());
            for logged in records.iter().take_while(|logged| logged.offset < end) {
                let Some(event) = wanted(request, &logged.record, erased, &mut report) else { continue };
                if report.samples.len() < SAMPLES {
                    report.samples.push(Sample { partition: extent.partition, offset: logged.offset, event_id: event.event_id });
                }
                ids.push((event.site_id, event.event_id));
                taken.push(logged.record.clone());
            }
            report.taken += taken.len() as u64;
            report.known += replay.warehouse.known(&ids).await?;
            if !request.dry_run && !taken.is_empty() {
                metrics::counter!(metric::REPLAYED, "source" => "topic", "outcome" => "taken").increment(taken.len() as u64);
                replay.log.append(EVENTS, taken).await?;
            }
        }
    }
    Ok(report)
}

/// The event of a record that is asked for, counted in the report.
fn wanted(request: &ReplayRequest, record: &Record, erased: &Erased, report: &mut ReplayReport) -> Option<Event> {
    let Ok(event) = serde_json::from_slice::<Event>(&record.value) else {
        report.read += 1;
        *report.still_rejected.entry("undecodable".to_owned()).or_default() += 1;
        return None;
    };
    if !request.wants(&event) {
        return None;
    }
    report.read += 1;
    if erased.erases(&event) {
        report.erased += 1;
        return None;
    }
    Some(event)
}
