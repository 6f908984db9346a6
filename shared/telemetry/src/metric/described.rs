//! What `/metrics` says of each metric, and its unit.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

use super::*;

/// Describes every metric.
pub(super) fn describe() {
    functions();
    coming_in();
    on_the_way();
    accounts();
    parts();
}

fn functions() {
    describe_counter!(INVOCATIONS, Unit::Count, "invocations of functions, by function and outcome");
    describe_histogram!(FUNCTION_SECONDS, Unit::Seconds, "how long an invocation took, by function");
    describe_gauge!(LAST_SUCCESS, Unit::Seconds, "when a function last ended well, since 1970; 0: not yet");
    describe_counter!(BATCH_FAILURES, Unit::Count, "batches that failed and are tried again, by group");
    describe_counter!(NOTIFICATION_RETRIES, Unit::Count, "notifications of the bucket that were handed out once more, by function");
    describe_gauge!(NOTIFICATIONS_PENDING, Unit::Count, "notifications of the bucket that this host has not done, by prefix");
    describe_counter!(UNDECODABLE, Unit::Count, "records that are no event, by function");
}

fn coming_in() {
    describe_counter!(REQUESTS, Unit::Count, "requests answered, by function and status");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "time from a request's arrival to its answer, by function");
    describe_histogram!(REQUEST_EVENTS, Unit::Count, "events in a request, by function");
    describe_counter!(EVENTS, Unit::Count, "events taken, by source and verdict");
    describe_counter!(CLIENT_MEASUREMENTS, Unit::Count, "measurements that Segment's browser client sent about itself");
    describe_counter!(LIVE_MISSED, Unit::Count, "events that a watcher of the live stream was too slow to see");
    describe_counter!(FILES, Unit::Count, "files taken in, by outcome");
    describe_counter!(REPLAYED, Unit::Count, "records played again, by source and outcome");
    describe_gauge!(SITES_FILE_OK, Unit::Count, "1 while the sites are those of the sites file, 0 while it is broken or missing");
    describe_gauge!(SITES, Unit::Count, "sites that events are taken for");
    describe_counter!(OVER_QUOTA, Unit::Count, "events refused because a quota was used up, by site and quota");
    describe_gauge!(LOG_REACHABLE, Unit::Count, "1 while the log takes what collect appends, 0 while events go to the bucket");
    describe_counter!(SPILLED_RECORDS, Unit::Count, "records that went to the bucket because the log took nothing");
    describe_counter!(SPILLED_OBJECTS, Unit::Count, "objects that such records were written as");
    describe_counter!(UNSPILLED_RECORDS, Unit::Count, "records that returned from the bucket to the log");
    describe_counter!(UNSPILLED_OBJECTS, Unit::Count, "spill objects done with, by outcome");
}

fn on_the_way() {
    describe_histogram!(FRESHNESS_SECONDS, Unit::Seconds, "time from an event's arrival until it is in ClickHouse");
    describe_counter!(LANDED_ROWS, Unit::Count, "rows landed in raw objects");
    describe_counter!(LANDED_OBJECTS, Unit::Count, "raw objects landed");
    describe_counter!(LOADED_OBJECTS, Unit::Count, "raw objects loaded into ClickHouse, by outcome");
    describe_counter!(COMPACTED_ROWS, Unit::Count, "rows appended to the lake");
    describe_counter!(DUPLICATE_ROWS, Unit::Count, "repeats that compaction left out");
    describe_counter!(MERGED_FILES, Unit::Count, "files of the lake that merges put together");
    describe_counter!(VACUUMED_FILES, Unit::Count, "files of the lake that vacuum removed");
    describe_counter!(SETTLED_ROWS, Unit::Count, "rows settled in ClickHouse");
    describe_counter!(EXPIRED, Unit::Count, "what retention removed, by rule");
    describe_gauge!(LAKE_VERSION, Unit::Count, "newest version of the lake");
    describe_gauge!(SETTLED_VERSION, Unit::Count, "newest version of the lake that reports show");
    describe_gauge!(LAKE_FILES, Unit::Count, "files of the lake's newest version");
    describe_gauge!(LAKE_BYTES, Unit::Bytes, "size of the files of the lake's newest version");
}

fn accounts() {
    describe_gauge!(LEDGER, Unit::Count, "records of the log, by topic, partition and step");
    describe_gauge!(LEDGER_UNACCOUNTED, Unit::Count, "records that the ledger cannot account for, by topic and partition");
    describe_gauge!(LEDGER_GAPS, Unit::Count, "records that no raw object holds though later ones are there, by partition");
    describe_counter!(REPAIRS, Unit::Count, "repairs by reconcile, by kind");
    describe_gauge!(GROUP_LAG, Unit::Count, "records that a consumer group has not done, by group and topic");
    describe_gauge!(GROUP_LAG_SECONDS, Unit::Seconds, "age of the oldest record that a consumer group has not done");
    describe_gauge!(GROUP_LATE, Unit::Count, "1 while that age is over half of what the topic keeps records for");
}

fn parts() {
    describe_counter!(CLIENT_REQUESTS, Unit::Count, "requests to the parts below, by client, operation and outcome");
    describe_histogram!(CLIENT_SECONDS, Unit::Seconds, "how long a request to a part below took, by client and operation");
    describe_gauge!(DISK_FREE, Unit::Bytes, "bytes free on the disk of the data folder");
    describe_gauge!(DISK_SIZE, Unit::Bytes, "bytes that the disk of the data folder has");
    describe_gauge!(MEMORY_LIMIT, Unit::Bytes, "memory that the process may take");
}
