//! The stretches of time that partitions are cut by, so that none grows without bound, and which of them have rows.

use std::hash::Hash;

use clickstream_event::Micros;
use jiff::{Timestamp, tz::TimeZone};
use quick_cache::sync::Cache;
use scylla::value::CqlTimestamp;

/// Length of a bucket of rejections.
pub(super) const BUCKET: i64 = 600 * Micros::SECOND;

/// The month of a moment: 202611 is November 2026, UTC. Moments past the calendar's ends, the years -9999 and 9999, are in
/// a month before or after all others.
pub(super) fn month_of(moment: Micros) -> i32 {
    let Ok(timestamp) = Timestamp::from_microsecond(moment.0) else {
        return if moment.0 < 0 { i32::MIN } else { i32::MAX };
    };
    let date = timestamp.to_zoned_datetime(TimeZone::UTC).date();
    i32::from(date.year()) * 100 + i32::from(date.month())
}

/// The beginning of the ten minutes that a moment is in.
pub(super) fn bucket_of(moment: Micros) -> CqlTimestamp {
    CqlTimestamp(moment.0.div_euclid(BUCKET) * (BUCKET / 1_000))
}

/// The last moment of the ten minutes that a moment is in.
pub(super) fn end_of_bucket(moment: Micros) -> Micros {
    Micros(moment.0.div_euclid(BUCKET).saturating_mul(BUCKET)).plus(BUCKET)
}

/// Rows that say which buckets there are. Many events share one, so that each is written once, by this process, and
/// again only when it has to last longer.
pub(super) struct Directory<K>(Cache<K, i64>);

impl<K: Eq + Hash + Clone> Directory<K> {
    pub(super) fn new() -> Self {
        Self(Cache::new(10_000))
    }

    /// Whether the row of `key` was written to last until `until` or longer.
    pub(super) fn has(&self, key: &K, until: i64) -> bool {
        self.0.get(key).is_some_and(|known| known >= until)
    }

    /// The row of `key` is written and lasts until `until`.
    pub(super) fn wrote(&self, key: K, until: i64) {
        if !self.has(&key, until) {
            self.0.insert(key, until);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn at(text: &str) -> Micros {
        serde_json::from_value(serde_json::json!(text)).unwrap()
    }

    #[test]
    fn months_are_those_of_the_calendar_and_in_its_order() {
        let months = [
            "-000044-03-15T12:00:00Z",
            "1930-12-31T23:59:59.999999Z",
            "1970-01-01T00:00:00Z",
            "2026-11-30T23:59:59Z",
            "2026-12-01T00:00:00Z",
        ];
        assert_eq!(months.map(|m| month_of(at(m))), [-4_397, 193_012, 197_001, 202_611, 202_612]);
        let far = [i64::MIN, -1_000_000 * Micros::DAY, 0, 250_000_000_000 * Micros::SECOND, i64::MAX].map(|m| month_of(Micros(m)));
        assert_eq!([far[0], far[4]], [i32::MIN, i32::MAX]);
        assert!(far.is_sorted(), "{far:?}");
    }

    #[test]
    fn ten_minutes_begin_and_end_where_clocks_say() {
        assert_eq!(bucket_of(at("2026-11-24T10:19:59.999999Z")).0 * 1_000, at("2026-11-24T10:10:00Z").0);
        assert_eq!(bucket_of(Micros(-1)).0, -600_000);
        assert_eq!(end_of_bucket(at("2026-11-24T10:10:00Z")), at("2026-11-24T10:20:00Z"));
        assert_eq!(end_of_bucket(Micros(i64::MAX)).0, i64::MAX);
    }

    #[test]
    fn a_row_is_written_again_when_it_has_to_last_longer() {
        let directory = Directory::new();
        assert!(!directory.has(&1, 10));
        directory.wrote(1, 10);
        assert!(directory.has(&1, 10) && directory.has(&1, 9) && !directory.has(&1, 11));
        directory.wrote(1, 5);
        assert!(directory.has(&1, 10));
    }
}
