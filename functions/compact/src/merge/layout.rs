//! Into which files the rows of a merge go, by time.
//!
//! A file of a day holds late events too, and so ranges over days. A merge takes them apart: days with many rows get
//! files of their own, whose narrow range keeps compaction from reading them; the few rows between share one.

use super::choice::day;

/// Rows of a merge, in parts, that make their day one with a file of its own.
const MANY: usize = 3;

/// The moments at which the files begin, in order, the first one being the least of all. There are fewer than `taken`.
///
/// `times` are the rows' `original_at` in order, and `pieces` is how many files so many rows fill.
pub fn layout(times: &[i64], taken: usize, pieces: impl Fn(usize) -> usize) -> Vec<i64> {
    let by_day = begins(times, &parts(times), &pieces);
    if by_day.len() < taken { by_day } else { begins(times, &[0], &pieces) }
}

/// Indexes at which days with many rows begin and end.
fn parts(times: &[i64]) -> Vec<usize> {
    let many = times.len().div_ceil(MANY);
    let (mut parts, mut begin, mut few) = (Vec::new(), 0, false);
    while begin < times.len() {
        let end = begin + times[begin..].partition_point(|t| day(*t) == day(times[begin]));
        let is_many = end - begin >= many;
        if is_many || !few {
            parts.push(begin);
        }
        few = !is_many;
        begin = end;
    }
    parts
}

/// The moments at which the files of each part begin.
fn begins(times: &[i64], parts: &[usize], pieces: impl Fn(usize) -> usize) -> Vec<i64> {
    let mut begins = Vec::new();
    for (part, begin) in parts.iter().enumerate() {
        let rows = parts.get(part + 1).unwrap_or(&times.len()) - begin;
        let count = pieces(rows).max(1);
        begins.extend((0..count).map(|piece| times[begin + rows * piece / count]));
    }
    begins.dedup();
    if let Some(first) = begins.first_mut() {
        *first = i64::MIN;
    }
    begins
}

#[cfg(test)]
mod tests {
    use clickstream_event::Micros;
    use proptest::prelude::*;

    use super::*;

    /// So many rows on each of these days.
    fn times(days: &[(i64, i64)]) -> Vec<i64> {
        days.iter().flat_map(|(day, rows)| (0..*rows).map(move |n| day * Micros::DAY + n)).collect()
    }

    const ONE: fn(usize) -> usize = |_| 1;

    #[test]
    fn late_rows_of_some_days_share_a_file_and_the_day_has_its_own() {
        let rows = times(&[(3, 2), (4, 1), (7, 5), (9, 500)]);
        assert_eq!(layout(&rows, 8, ONE), [i64::MIN, 9 * Micros::DAY]);
        let rows = times(&[(3, 2), (5, 300), (6, 1), (9, 300), (10, 2)]);
        assert_eq!(layout(&rows, 8, ONE), [i64::MIN, 5 * Micros::DAY, 6 * Micros::DAY, 9 * Micros::DAY, 10 * Micros::DAY]);
    }

    #[test]
    fn files_are_never_as_many_as_before() {
        let rows = times(&[(3, 2), (9, 500)]);
        assert_eq!(layout(&rows, 2, ONE), [i64::MIN]);
        assert_eq!(layout(&rows, 3, ONE).len(), 2);
    }

    #[test]
    fn many_rows_of_a_day_fill_several_files() {
        let rows = times(&[(3, 100), (4, 900)]);
        let begins = layout(&rows, 20, |rows| rows.div_ceil(300));
        assert_eq!(begins, [i64::MIN, 4 * Micros::DAY, 4 * Micros::DAY + 300, 4 * Micros::DAY + 600]);
        // The same moment is never in two files.
        assert_eq!(layout(&[5; 1_000], 20, |rows| rows.div_ceil(300)), [i64::MIN]);
    }

    proptest! {
        #[test]
        fn files_begin_in_order_and_are_fewer(mut times in prop::collection::vec(0..40 * Micros::DAY, 1..400), taken in 2_usize..12) {
            times.sort_unstable();
            let begins = layout(&times, taken, |rows| rows.div_ceil(times.len().div_ceil(taken / 2)));
            prop_assert!(begins.len() < taken, "{} of {taken}", begins.len());
            prop_assert!(begins.windows(2).all(|w| w[0] < w[1]));
            prop_assert_eq!(begins[0], i64::MIN);
        }
    }
}
