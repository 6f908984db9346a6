//! Freshness: the time from an event's arrival until ClickHouse shows it.
//!
//! land notes beside a raw object when the oldest and the newest of its events arrived, and load, which hands the object
//! on unread, tells from it how long they took.

use std::collections::BTreeMap;

use clickstream_event::Micros;

use crate::metric;

/// Metadata of a raw object: when its oldest and its newest event arrived, µs UTC.
const RECEIVED: [&str; 2] = ["received-from", "received-to"];

/// What to note beside an object of events that arrived at `times`.
pub fn received(times: impl Iterator<Item = Micros> + Clone) -> BTreeMap<String, String> {
    let bounds = [times.clone().min(), times.max()];
    RECEIVED.iter().zip(bounds).filter_map(|(name, at)| Some(((*name).to_owned(), at?.0.to_string()))).collect()
}

/// Measures an object with this metadata that is in ClickHouse now; one without says nothing.
pub fn loaded(metadata: &BTreeMap<String, String>) {
    let now = Micros::now();
    for at in RECEIVED.iter().filter_map(|name| metadata.get(*name)?.parse::<i64>().ok()) {
        metrics::histogram!(metric::FRESHNESS_SECONDS).record(now.0.saturating_sub(at).max(0) as f64 / Micros::SECOND as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_and_the_newest_event_are_noted() {
        let noted = received([5, 3, 9].into_iter().map(Micros));
        assert_eq!(
            noted.into_iter().collect::<Vec<_>>(),
            [("received-from", "3"), ("received-to", "9")].map(|(n, v)| (n.to_owned(), v.to_owned()))
        );
        assert!(received(std::iter::empty()).is_empty(), "dead letters alone");
    }
}
