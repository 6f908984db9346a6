//! Raw objects of a partition, and the offsets that they leave out.

use clickstream_columns::{raw_offsets, raw_prefix};
use clickstream_event::Micros;
use clickstream_objects::SharedObjects;

use crate::ReconcileError;

/// Objects listed at a time.
const PAGE: usize = 1_000;

/// A raw object by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawObject {
    pub key: String,
    pub first: u64,
    pub last: u64,
    pub modified_at: Micros,
}

/// The objects that hold an offset at or past `watermark`.
pub async fn objects_from(objects: &SharedObjects, log_id: &str, partition: u32, watermark: u64) -> Result<Vec<RawObject>, ReconcileError> {
    let prefix = raw_prefix(log_id, partition);
    let mut after = format!("{prefix}{watermark:020}");
    let mut found = Vec::new();
    loop {
        let page = objects.list(&prefix, Some(&after), PAGE).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after.clone_from(&last.key);
        found.extend(page.iter().filter_map(|object| {
            let (first, last) = raw_offsets(&object.key)?;
            Some(RawObject { key: object.key.clone(), first, last, modified_at: Micros(object.modified_at) })
        }));
    }
}

/// The offsets of `[from, to)` that no range of `held` (half-open) covers.
pub fn uncovered(mut held: Vec<(u64, u64)>, from: u64, to: u64) -> Vec<(u64, u64)> {
    held.sort_unstable();
    let (mut gaps, mut next) = (Vec::new(), from);
    for (first, end) in held {
        if first > next && next < to {
            gaps.push((next, first.min(to)));
        }
        next = next.max(end);
    }
    if next < to {
        gaps.push((next, to));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::uncovered;

    #[test]
    fn what_no_range_covers_is_a_gap() {
        assert_eq!(uncovered(vec![(5, 7), (0, 3), (1, 4)], 0, 9), [(4, 5), (7, 9)]);
        assert_eq!(uncovered(vec![(5, 7)], 5, 7), []);
        assert_eq!(uncovered(vec![(8, 12)], 3, 10), [(3, 8)]);
        assert_eq!(uncovered(vec![(20, 22)], 3, 10), [(3, 10)]);
        assert_eq!(uncovered(vec![], 4, 4), []);
    }
}
