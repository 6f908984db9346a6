//! Seconds that a row has left.

use clickstream_event::Micros;

/// Past 2038-01-19T03:14:06Z Cassandra's files cannot say when a row ends, unless it is told to write another format
/// (`storage_compatibility_mode`). A day earlier, because clocks differ.
const LAST: i64 = i32::MAX as i64 - 1 - 86_400;

/// What `USING TTL` takes for a row that is kept for `days` from `received_at` on: 0 for a row that never ends, because
/// its end is further away than servers can say. None where its time is over.
pub(super) fn of(received_at: Micros, days: u32, now: Micros) -> Option<i32> {
    let end = received_at.plus(i64::from(days) * Micros::DAY);
    let left = end.0.saturating_sub(now.0);
    if left <= 0 {
        return None;
    }
    // Servers count whole seconds and drop a row within the last one; 0 would be for ever.
    let seconds = left.div_euclid(Micros::SECOND) + 1;
    // A server takes no more than 20 years at a time; the last moment is nearer.
    Some(if end.0.div_euclid(Micros::SECOND) >= LAST { 0 } else { seconds as i32 })
}

/// What an operator should know if rows that are put now and kept for `days` will never end.
pub(super) fn warning(what: &str, days: u32, now: Micros) -> Option<String> {
    let for_ever = of(now, days, now) == Some(0);
    for_ever.then(|| {
        format!("{what} put now are to be kept for {days} days, past January 2038: servers cannot say so, and they are kept for ever")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_795_000_000 * Micros::SECOND);

    #[test]
    fn a_row_has_left_what_is_left_of_its_days() {
        let at = |seconds: i64, days| of(NOW.plus(seconds * Micros::SECOND), days, NOW);
        assert_eq!(at(0, 1), Some(86_401));
        assert_eq!(at(-86_399, 1), Some(2));
        assert_eq!(of(NOW.plus(1 - Micros::DAY), 1, NOW), Some(1));
        assert_eq!([at(-86_400, 1), at(-1_000_000_000, 400)], [None, None]);
        assert_eq!(of(Micros(i64::MIN), 400, NOW), None);
    }

    #[test]
    fn what_ends_too_far_away_to_be_told_is_kept_for_ever() {
        assert_eq!(of(NOW, 4_078, NOW), Some(4_078 * 86_400 + 1));
        assert_eq!([of(NOW, 4_079, NOW), of(NOW, 36_500, NOW), of(Micros(i64::MAX), 1, NOW)], [Some(0); 3]);
        assert_eq!(warning("events", 4_078, NOW), None);
        assert!(warning("events", 4_079, NOW).is_some_and(|said| said.contains("events put now are to be kept for 4079 days")));
        // Received long ago: a hundred years from then end soon enough.
        assert_eq!(of(NOW.plus(-99 * 365 * Micros::DAY), 36_500, NOW), Some(365 * 86_400 + 1));
    }
}
