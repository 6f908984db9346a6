//! Metric names and their units.
//!
//! `docs/operations.md` lists them, made of this file: a comment here is what the table says.

mod described;
mod known;
mod recorder;

pub use recorder::{PrometheusHandle, RecorderError, recorder};

// Functions, whatever triggers them.

/// Invocations of functions, by `function` and `outcome` (ok, failed).
pub const INVOCATIONS: &str = "clickstream_function_invocations_total";
/// How long an invocation took, seconds, by `function`.
pub const FUNCTION_SECONDS: &str = "clickstream_function_seconds";
/// When a function last ended well, seconds since 1970, by `function`; 0 for work by the clock that has not yet.
pub const LAST_SUCCESS: &str = "clickstream_last_success_timestamp_seconds";
/// Batches that failed and are tried again, by `group`.
pub const BATCH_FAILURES: &str = "clickstream_batch_failures_total";
/// Notifications of the bucket that were handed out once more, by `function`.
pub const NOTIFICATION_RETRIES: &str = "clickstream_notification_retries_total";
/// Notifications of the bucket that this host has not done, by `prefix`.
pub const NOTIFICATIONS_PENDING: &str = "clickstream_notifications_pending";
/// Records that are no event, by `function`.
pub const UNDECODABLE: &str = "clickstream_undecodable_total";

// What comes in.

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
/// Events that a watcher of the live stream was too slow to see.
pub const LIVE_MISSED: &str = "clickstream_live_missed_total";
/// Files taken in, by `outcome`.
pub const FILES: &str = "clickstream_files_total";
/// Records played again, by `source` (rejected, topic, raw, days) and `outcome` (taken, refused).
pub const REPLAYED: &str = "clickstream_replayed_total";
/// 1 while the sites are those of the sites file, 0 while it is broken or missing and the sites are as it said before.
pub const SITES_FILE_OK: &str = "clickstream_sites_file_ok";
/// Sites that events are taken for.
pub const SITES: &str = "clickstream_sites";
/// Events refused because a quota was used up, by `site` and `quota` (key, address).
pub const OVER_QUOTA: &str = "clickstream_over_quota_events_total";
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

// The way to the reports.

/// Time from an event's arrival until it is in ClickHouse, seconds; of each raw object its oldest and its newest event.
pub const FRESHNESS_SECONDS: &str = "clickstream_freshness_seconds";
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
/// What retention removed, by `rule`.
pub const EXPIRED: &str = "clickstream_expired_total";
/// Newest version of the lake.
pub const LAKE_VERSION: &str = "clickstream_lake_version";
/// Newest version of the lake that reports show.
pub const SETTLED_VERSION: &str = "clickstream_settled_version";
/// Files of the lake's newest version.
pub const LAKE_FILES: &str = "clickstream_lake_files";
/// Their size, bytes.
pub const LAKE_BYTES: &str = "clickstream_lake_bytes";

// The accounts.

/// What the ledger says of the log, records by `topic`, `partition` and `step` (logged, stored, landed, loaded, settled,
/// duplicates, erased, expired, `dead_letters`, missing, pending).
pub const LEDGER: &str = "clickstream_ledger_records";
/// Records that the ledger cannot account for, by `topic` and `partition`: 0, or something is wrong.
pub const LEDGER_UNACCOUNTED: &str = "clickstream_ledger_unaccounted_records";
/// Records that no raw object holds though later ones are there, by `partition`; gaps that were accepted do not count.
pub const LEDGER_GAPS: &str = "clickstream_ledger_gap_records";
/// Repairs by reconcile, by `kind`.
pub const REPAIRS: &str = "clickstream_repairs_total";
/// Records that a consumer group has not done, by `group` and `topic`.
pub const GROUP_LAG: &str = "clickstream_group_lag_records";
/// Age of the oldest record that a consumer group has not done, seconds, by `group` and `topic`.
pub const GROUP_LAG_SECONDS: &str = "clickstream_group_lag_age_seconds";
/// 1 while that age is over half of what the topic keeps records for, by `group` and `topic`.
pub const GROUP_LATE: &str = "clickstream_group_late";

// The parts below, as this process sees them.

/// Requests to the log, the event store, the bucket and ClickHouse, by `client`, `operation` and `outcome` (ok, failed).
pub const CLIENT_REQUESTS: &str = "clickstream_client_requests_total";
/// How long such a request took, seconds, by `client` and `operation`.
pub const CLIENT_SECONDS: &str = "clickstream_client_seconds";
/// Bytes free on the disk of the data folder.
pub const DISK_FREE: &str = "clickstream_data_disk_free_bytes";
/// Bytes that the disk of the data folder has.
pub const DISK_SIZE: &str = "clickstream_data_disk_size_bytes";
/// Memory that the process may take: its cgroup's limit, else the machine's memory. Bytes.
pub const MEMORY_LIMIT: &str = "clickstream_memory_limit_bytes";
