//! Copies of one event.

use clickstream_event::Logged;

/// `(received_at, partition, offset)`: of copies, the lowest stays.
pub(crate) fn place(logged: &Logged) -> (i64, u32, u64) {
    (logged.event.received_at.0, logged.log_partition, logged.log_offset)
}

/// Every copy in `events` once, ordered by event id, site and place: of each event the first copy comes first.
pub(crate) fn copies(events: &[Logged]) -> Vec<&Logged> {
    let mut copies: Vec<&Logged> = events.iter().collect();
    copies.sort_unstable_by_key(|e| (e.event.event_id, &e.event.site_id, place(e)));
    copies.dedup_by_key(|e| (e.event.event_id, &e.event.site_id, place(e)));
    copies
}
