//! What `/metrics` says of each metric, and its unit.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

use crate::metric;

/// Describes every metric.
pub(super) fn describe() {
    functions();
    coming_in();
    on_the_way();
    accounts();
    parts();
}

fn functions() {
    describe_counter!(metric::INVOCATIONS, Unit::Count, "invocations of functions, by function and outcome");
    describe_histogram!(metric::FUNCTION_SECONDS, Unit::Seconds, "how long an invocation took, by function");
    describe_gauge!(metric::LAST_SUCCESS, Unit::Seconds, "when a function last ended well, since 1970; 0: not yet");
    describe_counter!(metric::BATCH_FAILURES, Unit::Count, "batches that failed and are tried again, by group");
    describe_counter!(metric::NOTIFICATION_RETRIES, Unit::Count, "notifications of the bucket that were handed out once more, by function");
    describe_gauge!(metric::NOTIFICATIONS_PENDING, Unit::Count, "notifications of the bucket that this host has not done, by prefix");
    describe_counter!(metric::UNDECODABLE, Unit::Count, "records that are no event, by function");
}

fn coming_in() {
    describe_counter!(metric::REQUESTS, Unit::Count, "requests answered, by function and status");
    describe_histogram!(metric::REQUEST_SECONDS, Unit::Seconds, "time from a request's arrival to its answer, by function");
    describe_histogram!(metric::REQUEST_EVENTS, Unit::Count, "events in a request, by function");
    describe_counter!(metric::EVENTS, Unit::Count, "events taken, by source and verdict");
    describe_counter!(metric::CLIENT_MEASUREMENTS, Unit::Count, "measurements that Segment's browser client sent about itself");
    describe_counter!(metric::LIVE_MISSED, Unit::Count, "events that a watcher of the live stream was too slow to see");
    describe_counter!(metric::FILES, Unit::Count, "files taken in, by outcome");
    describe_counter!(metric::REPLAYED, Unit::Count, "records played again, by source and outcome");
    describe_gauge!(metric::SITES_FILE_OK, Unit::Count, "1 while the sites are those of the sites file, 0 while it is broken or missing");
    describe_gauge!(metric::SITES, Unit::Count, "sites that events are taken for");
    describe_counter!(metric::OVER_QUOTA, Unit::Count, "events refused because a quota was used up, by site and quota");
    describe_gauge!(metric::LOG_REACHABLE, Unit::Count, "1 while the log takes what collect appends, 0 while events go to the bucket");
    describe_counter!(metric::SPILLED_RECORDS, Unit::Count, "records that went to the bucket because the log took nothing");
    describe_counter!(metric::SPILLED_OBJECTS, Unit::Count, "objects that such records were written as");
    describe_counter!(metric::UNSPILLED_RECORDS, Unit::Count, "records that returned from the bucket to the log");
    describe_counter!(metric::UNSPILLED_OBJECTS, Unit::Count, "spill objects done with, by outcome");
}

fn on_the_way() {
    describe_histogram!(metric::FRESHNESS_SECONDS, Unit::Seconds, "time from an event's arrival until it is in ClickHouse");
    describe_counter!(metric::LANDED_ROWS, Unit::Count, "rows landed in raw objects");
    describe_counter!(metric::LANDED_OBJECTS, Unit::Count, "raw objects landed");
    describe_counter!(metric::LOADED_OBJECTS, Unit::Count, "raw objects loaded into ClickHouse, by outcome");
    describe_counter!(metric::COMPACTED_ROWS, Unit::Count, "rows appended to the lake");
    describe_counter!(metric::DUPLICATE_ROWS, Unit::Count, "repeats that compaction left out");
    describe_counter!(metric::MERGED_FILES, Unit::Count, "files of the lake that merges put together");
    describe_counter!(metric::VACUUMED_FILES, Unit::Count, "files of the lake that vacuum removed");
    describe_counter!(metric::SETTLED_ROWS, Unit::Count, "rows settled in ClickHouse");
    describe_counter!(metric::EXPIRED, Unit::Count, "what retention removed, by rule");
    describe_gauge!(metric::LAKE_VERSION, Unit::Count, "newest version of the lake");
    describe_gauge!(metric::SETTLED_VERSION, Unit::Count, "newest version of the lake that reports show");
    describe_gauge!(metric::LAKE_FILES, Unit::Count, "files of the lake's newest version");
    describe_gauge!(metric::LAKE_BYTES, Unit::Bytes, "size of the files of the lake's newest version");
}

fn accounts() {
    describe_gauge!(metric::LEDGER, Unit::Count, "records of the log, by topic, partition and step");
    describe_gauge!(metric::LEDGER_UNACCOUNTED, Unit::Count, "records that the ledger cannot account for, by topic and partition");
    describe_gauge!(metric::LEDGER_GAPS, Unit::Count, "records that no raw object holds though later ones are there, by partition");
    describe_counter!(metric::REPAIRS, Unit::Count, "repairs by reconcile, by kind");
    describe_gauge!(metric::GROUP_LAG, Unit::Count, "records that a consumer group has not done, by group and topic");
    describe_gauge!(metric::GROUP_LAG_SECONDS, Unit::Seconds, "age of the oldest record that a consumer group has not done");
    describe_gauge!(metric::GROUP_LATE, Unit::Count, "1 while that age is over half of what the topic keeps records for");
}

fn parts() {
    describe_counter!(metric::CLIENT_REQUESTS, Unit::Count, "requests to the parts below, by client, operation and outcome");
    describe_histogram!(metric::CLIENT_SECONDS, Unit::Seconds, "how long a request to a part below took, by client and operation");
    describe_gauge!(metric::DISK_FREE, Unit::Bytes, "bytes free on the disk of the data folder");
    describe_gauge!(metric::DISK_SIZE, Unit::Bytes, "bytes that the disk of the data folder has");
    describe_gauge!(metric::MEMORY_LIMIT, Unit::Bytes, "memory that the process may take");
}
