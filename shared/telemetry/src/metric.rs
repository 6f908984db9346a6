//! Metric names and their units.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

pub use metrics_exporter_prometheus::PrometheusHandle;

/// Requests answered, by `function` and `status`.
pub const REQUESTS: &str = "clickstream_requests_total";
/// Time from a request's arrival to its answer, seconds, by `function`.
pub const REQUEST_SECONDS: &str = "clickstream_request_seconds";
/// Events taken, by `source` and `verdict` (valid, suspicious, rejected).
pub const EVENTS: &str = "clickstream_events_total";
/// Events in a request, by `function`.
pub const REQUEST_EVENTS: &str = "clickstream_request_events";
/// Measurements that Segment's browser client sent about itself.
pub const CLIENT_MEASUREMENTS: &str = "clickstream_client_measurements_total";
/// Records that a consumer group has not done, by `group` and `topic`.
pub const GROUP_LAG: &str = "clickstream_group_lag_records";
/// Records played again, by `source` (rejected, raw) and `outcome` (taken, refused).
pub const REPLAYED: &str = "clickstream_replayed_total";
/// Events that a watcher of the live stream was too slow to see.
pub const LIVE_MISSED: &str = "clickstream_live_missed_total";
/// Batches that failed and are tried again, by `group`.
pub const BATCH_FAILURES: &str = "clickstream_batch_failures_total";
/// Records that are no event, by `function`.
pub const UNDECODABLE: &str = "clickstream_undecodable_total";
/// Rows landed in raw objects.
pub const LANDED_ROWS: &str = "clickstream_landed_rows_total";
/// Raw objects landed.
pub const LANDED_OBJECTS: &str = "clickstream_landed_objects_total";
/// Raw objects loaded into ClickHouse, by `outcome`.
pub const LOADED_OBJECTS: &str = "clickstream_loaded_objects_total";
/// Rows appended to the lake.
pub const COMPACTED_ROWS: &str = "clickstream_compacted_rows_total";
/// Repeats that compaction left out.
pub const DUPLICATE_ROWS: &str = "clickstream_duplicate_rows_total";
/// Files of the lake that merges put together.
pub const MERGED_FILES: &str = "clickstream_merged_files_total";
/// Files of the lake that vacuum removed.
pub const VACUUMED_FILES: &str = "clickstream_vacuumed_files_total";
/// Rows settled in ClickHouse.
pub const SETTLED_ROWS: &str = "clickstream_settled_rows_total";
/// 1 while the log takes what collect appends, 0 while events go to the bucket.
pub const LOG_REACHABLE: &str = "clickstream_log_reachable";
/// Records that went to the bucket because the log took nothing.
pub const SPILLED_RECORDS: &str = "clickstream_spilled_records_total";
/// Objects they were written as.
pub const SPILLED_OBJECTS: &str = "clickstream_spilled_objects_total";
/// Records that returned to the log.
pub const UNSPILLED_RECORDS: &str = "clickstream_unspilled_records_total";
/// Spill objects done with, by `outcome` (returned, quarantined).
pub const UNSPILLED_OBJECTS: &str = "clickstream_unspilled_objects_total";
/// What retention removed, by `rule`.
pub const EXPIRED: &str = "clickstream_expired_total";
/// Files taken in, by `outcome`.
pub const FILES: &str = "clickstream_files_total";

/// What the ledger says of the log, records by `topic`, `partition` and `step` (logged, stored, landed, loaded, settled,
/// duplicates, erased, `dead_letters`, missing, pending).
pub const LEDGER: &str = "clickstream_ledger_records";
/// Records that the ledger cannot account for, by `topic` and `partition`: 0, or something is wrong.
pub const LEDGER_UNACCOUNTED: &str = "clickstream_ledger_unaccounted_records";
/// Records that no raw object holds though later ones are there, by `partition`; gaps that were accepted do not count.
pub const LEDGER_GAPS: &str = "clickstream_ledger_gap_records";
/// Repairs by reconcile, by `kind`.
pub const REPAIRS: &str = "clickstream_repairs_total";
/// Age of the oldest record that a consumer group has not done, seconds, by `group` and `topic`.
pub const GROUP_LAG_SECONDS: &str = "clickstream_group_lag_age_seconds";
/// 1 while that age is over half of what the topic keeps records for, by `group` and `topic`.
pub const GROUP_LATE: &str = "clickstream_group_late";

/// 1 while the sites are those of the sites file, 0 while it is broken or missing and the sites are as it said before.
pub const SITES_FILE_OK: &str = "clickstream_sites_file_ok";
/// Sites that events are taken for.
pub const SITES: &str = "clickstream_sites";
/// Events refused because a quota was used up, by `site` and `quota` (key, address).
pub const OVER_QUOTA: &str = "clickstream_over_quota_events_total";

/// Bounds of the histograms of time, seconds.
const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Bounds of the histogram of events in a request.
const SIZES: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 500.0];
/// How often samples of histograms are folded into their buckets. Until then each takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// A recorder that cannot be installed.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// Another recorder is installed, or its settings are wrong.
    #[error("metrics cannot be recorded: {0}")]
    Build(#[from] metrics_exporter_prometheus::BuildError),
    /// The thread that keeps memory bounded does not start.
    #[error("metrics cannot be kept: {0}")]
    Upkeep(#[from] std::io::Error),
}

static HANDLE: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Records metrics from now on; the handle renders them for Prometheus. A second call gives the same handle.
pub fn recorder() -> Result<PrometheusHandle, RecorderError> {
    let mut installed = HANDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = installed.as_ref() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full(REQUEST_EVENTS.to_owned()), &SIZES)?
        .install_recorder()?;
    describe();
    keep(handle.clone())?;
    *installed = Some(handle.clone());
    Ok(handle)
}

/// Without this a service that nobody scrapes would keep every sample of every histogram.
fn keep(handle: PrometheusHandle) -> std::io::Result<()> {
    std::thread::Builder::new().name("metrics".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(UPKEEP);
            handle.run_upkeep();
        }
    })?;
    Ok(())
}

fn describe() {
    describe_counter!(REQUESTS, Unit::Count, "requests answered, by function and status");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "time from a request's arrival to its answer, by function");
    describe_histogram!(REQUEST_EVENTS, Unit::Count, "events in a request, by function");
    describe_counter!(EVENTS, Unit::Count, "events taken, by source and verdict");
    describe_counter!(CLIENT_MEASUREMENTS, Unit::Count, "measurements that Segment's browser client sent about itself");
    describe_gauge!(GROUP_LAG, Unit::Count, "records that a consumer group has not done, by group and topic");
    describe_counter!(REPLAYED, Unit::Count, "records played again, by source and outcome");
    describe_counter!(LIVE_MISSED, Unit::Count, "events that a watcher of the live stream was too slow to see");
    describe_counter!(BATCH_FAILURES, Unit::Count, "batches that failed and are tried again, by group");
    describe_counter!(UNDECODABLE, Unit::Count, "records that are no event, by function");
    describe_counter!(LANDED_ROWS, Unit::Count, "rows landed in raw objects");
    describe_counter!(LANDED_OBJECTS, Unit::Count, "raw objects landed");
    describe_counter!(LOADED_OBJECTS, Unit::Count, "raw objects loaded into ClickHouse, by outcome");
    describe_counter!(COMPACTED_ROWS, Unit::Count, "rows appended to the lake");
    describe_counter!(DUPLICATE_ROWS, Unit::Count, "repeats that compaction left out");
    describe_counter!(MERGED_FILES, Unit::Count, "files of the lake that merges put together");
    describe_counter!(VACUUMED_FILES, Unit::Count, "files of the lake that vacuum removed");
    describe_counter!(SETTLED_ROWS, Unit::Count, "rows settled in ClickHouse");
    describe_gauge!(LOG_REACHABLE, Unit::Count, "1 while the log takes what collect appends, 0 while events go to the bucket");
    describe_counter!(SPILLED_RECORDS, Unit::Count, "records that went to the bucket because the log took nothing");
    describe_counter!(SPILLED_OBJECTS, Unit::Count, "objects that such records were written as");
    describe_counter!(UNSPILLED_RECORDS, Unit::Count, "records that returned from the bucket to the log");
    describe_counter!(UNSPILLED_OBJECTS, Unit::Count, "spill objects done with, by outcome");
    describe_counter!(EXPIRED, Unit::Count, "what retention removed, by rule");
    describe_counter!(FILES, Unit::Count, "files taken in, by outcome");
    describe_gauge!(LEDGER, Unit::Count, "records of the log, by topic, partition and step");
    describe_gauge!(LEDGER_UNACCOUNTED, Unit::Count, "records that the ledger cannot account for, by topic and partition");
    describe_gauge!(LEDGER_GAPS, Unit::Count, "records that no raw object holds though later ones are there, by partition");
    describe_counter!(REPAIRS, Unit::Count, "repairs by reconcile, by kind");
    describe_gauge!(GROUP_LAG_SECONDS, Unit::Seconds, "age of the oldest record that a consumer group has not done");
    describe_gauge!(GROUP_LATE, Unit::Count, "1 while that age is over half of what the topic keeps records for");
    describe_gauge!(SITES_FILE_OK, Unit::Count, "1 while the sites are those of the sites file, 0 while it is broken or missing");
    describe_gauge!(SITES, Unit::Count, "sites that events are taken for");
    describe_counter!(OVER_QUOTA, Unit::Count, "events refused because a quota was used up, by site and quota");
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_rendered_with_its_unit_and_bounds() {
        let handle = recorder().unwrap();
        metrics::counter!(EVENTS, "source" => "http", "verdict" => "valid").increment(3);
        metrics::histogram!(REQUEST_SECONDS, "function" => "collect").record(0.004);
        metrics::histogram!(REQUEST_EVENTS, "function" => "collect").record(20.0);
        let text = recorder().unwrap().render();
        assert!(text.contains(r#"clickstream_events_total{source="http",verdict="valid"} 3"#), "{text}");
        assert!(text.contains(r#"clickstream_request_seconds_bucket{function="collect",le="0.005"} 1"#), "{text}");
        assert!(text.contains(r#"clickstream_request_events_bucket{function="collect",le="20"} 1"#), "{text}");
        assert!(text.contains("# HELP clickstream_events_total events taken"), "{text}");
        drop(handle);
    }
}
