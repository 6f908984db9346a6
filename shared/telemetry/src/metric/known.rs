//! Counters that are there from the start, at 0: without it, Prometheus' `increase` would not see the first event.
//!
//! Of some the labels are not known before: events over quota by site, repairs by kind, requests by status.

use metrics::counter;

use super::{
    BATCH_FAILURES, CLIENT_MEASUREMENTS, COMPACTED_ROWS, DUPLICATE_ROWS, EVENTS, FILES, INVOCATIONS, LANDED_OBJECTS, LANDED_ROWS,
    LIVE_MISSED, LOADED_OBJECTS, MERGED_FILES, NOTIFICATION_RETRIES, SETTLED_ROWS, SPILLED_OBJECTS, SPILLED_RECORDS, UNDECODABLE,
    UNSPILLED_OBJECTS, UNSPILLED_RECORDS, VACUUMED_FILES,
};
use crate::Function;

/// Without labels.
const BARE: [&str; 12] = [
    CLIENT_MEASUREMENTS,
    COMPACTED_ROWS,
    DUPLICATE_ROWS,
    LANDED_OBJECTS,
    LANDED_ROWS,
    LIVE_MISSED,
    MERGED_FILES,
    SETTLED_ROWS,
    SPILLED_OBJECTS,
    SPILLED_RECORDS,
    UNSPILLED_RECORDS,
    VACUUMED_FILES,
];

/// With one label: its name and its values.
const LABELLED: [(&str, &str, &[&str]); 6] = [
    (BATCH_FAILURES, "group", &["store", "land", "intake-topic"]),
    (FILES, "outcome", &["taken", "taken_before", "failed", "quarantined", "gone", "ignored"]),
    (LOADED_OBJECTS, "outcome", &["loaded", "settled", "gone", "ignored"]),
    (NOTIFICATION_RETRIES, "function", &["load", "intake-files"]),
    (UNDECODABLE, "function", &["store", "land"]),
    (UNSPILLED_OBJECTS, "outcome", &["returned", "quarantined"]),
];

/// Registers every counter whose labels are known.
pub(super) fn register() {
    for name in BARE {
        counter!(name).increment(0);
    }
    for (name, label, values) in LABELLED {
        values.iter().for_each(|value| counter!(name, label => *value).increment(0));
    }
    for source in ["http", "topic", "file"] {
        for verdict in ["valid", "suspicious", "rejected"] {
            counter!(EVENTS, "source" => source, "verdict" => verdict).increment(0);
        }
    }
    for function in Function::ALL {
        for outcome in ["ok", "failed"] {
            counter!(INVOCATIONS, "function" => function.as_str(), "outcome" => outcome).increment(0);
        }
    }
}
