//! Copies of one event.

use clickstream_event::Logged;

/// `(received_at, partition, offset)`: of copies, the lowest stays.
pub(crate) fn place(logged: &Logged) -> (i64, u32, u64) {
    (logged.event.received_at.0, logged.log_partition, logged.log_offset)
}

/// Of repeats in `events` only the first copy, ordered by event id and site.
pub(crate) fn first_copies(events: &[Logged]) -> Vec<&Logged> {
    let mut first: Vec<&Logged> = events.iter().collect();
    first.sort_unstable_by_key(|e| (e.event.event_id, &e.event.site_id, place(e)));
    first.dedup_by_key(|e| (e.event.event_id, &e.event.site_id));
    first
}
