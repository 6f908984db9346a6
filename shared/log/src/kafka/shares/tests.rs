#![expect(clippy::unwrap_used, reason = "tests")]

use std::{future::Future as _, task::Poll};

use bytes::Bytes;

use super::*;
use crate::Record;

const KEY: Key = Key { topic: 0, partition: 0 };
const OTHER: Key = Key { topic: 0, partition: 1 };

fn shares(max_records: usize, max_bytes: usize, window: Duration) -> Shares {
    let shares = Shares::new(Limits { batch: BatchLimits { max_records, max_bytes, window }, budget: 1_000 });
    shares.assigned([KEY, OTHER]);
    shares
}

fn records(offsets: std::ops::Range<u64>) -> Vec<LoggedRecord> {
    let record =
        |offset| LoggedRecord { offset, appended_at: 0, record: Record { value: Bytes::from_static(&[0; 10]), ..Record::default() } };
    offsets.map(record).collect()
}

/// The offsets of the batch that is due at once, if any.
fn take(shares: &Shares) -> Option<(u32, Vec<u64>)> {
    let mut taking = std::pin::pin!(shares.take());
    match taking.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        Poll::Ready(taken) => taken.ok().map(|t| (t.key.partition, t.records.iter().map(|r| r.offset).collect())),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn batches_are_cut_by_count_and_bytes_and_what_is_over_begins_the_next() {
    let shares = shares(4, 35, Duration::from_mins(10));
    shares.add(KEY, records(7..17));
    assert!(!shares.wants(KEY), "a whole batch waits");
    for batch in [[7, 8, 9], [10, 11, 12], [13, 14, 15]] {
        assert_eq!(take(&shares).unwrap().1, batch);
        assert_eq!(take(&shares), None, "it is in hand");
        assert!(!shares.wants(KEY));
        shares.committed(KEY, batch[2] + 1);
    }
    assert_eq!(take(&shares), None, "one record waits for the window");
    assert!(shares.wants(KEY) && shares.seeks().is_empty());
}

#[tokio::test]
async fn a_batch_ends_where_offsets_are_no_longer_kept() {
    let shares = shares(4, 1_000, Duration::from_mins(10));
    shares.add(KEY, records(0..2));
    assert_eq!(take(&shares), None);
    // The gap is met first by what is added, then twice by what did not fit before.
    shares.add(KEY, [records(40..42), records(43..46), records(60..61)].concat());
    for batch in [vec![0, 1], vec![40, 41], vec![43, 44, 45]] {
        assert_eq!(take(&shares).unwrap().1, batch);
        shares.committed(KEY, batch.last().unwrap() + 1);
    }
    assert_eq!(take(&shares), None, "the last waits for its window");
    assert!(shares.seeks().is_empty());
}

#[tokio::test]
async fn partitions_take_turns() {
    let shares = shares(2, 1_000, Duration::ZERO);
    shares.add(KEY, records(0..6));
    shares.add(OTHER, records(0..1));
    let mut seen = Vec::new();
    while let Some((partition, offsets)) = take(&shares) {
        seen.push(partition);
        let key = Key { topic: 0, partition };
        shares.committed(key, offsets.last().unwrap() + 1);
    }
    assert_eq!(seen, [0, 1, 0, 0]);
}

#[tokio::test]
async fn after_a_rewind_fetching_goes_on_at_the_committed_offset() {
    let shares = shares(3, 1_000, Duration::ZERO);
    shares.add(KEY, records(5..11));
    let holding = shares.holding(KEY).unwrap();
    take(&shares).unwrap();
    shares.rewind(KEY, holding + 7);
    assert!(shares.seeks().is_empty(), "a rewind of another holding changes nothing");
    shares.rewind(KEY, holding);
    assert_eq!(shares.seeks(), [(KEY, 5)]);
    assert!(!shares.wants(KEY), "nothing is added before the seek");
    shares.sought(KEY, 5);
    shares.add(KEY, records(5..11));
    assert_eq!(take(&shares).unwrap().1, [5, 6, 7]);
    // Only part of it is done.
    shares.committed(KEY, 6);
    assert_eq!(shares.seeks(), [(KEY, 6)]);
    shares.sought(KEY, 6);
    shares.add(KEY, records(6..8));
    assert_eq!(take(&shares).unwrap().1, [6, 7]);
    shares.rewind(KEY, holding);
    assert_eq!(shares.seeks(), [(KEY, 6)]);
}

#[tokio::test]
async fn what_was_fetched_before_a_rewind_and_comes_after_it_is_dropped() {
    let shares = shares(3, 1_000, Duration::ZERO);
    shares.add(KEY, records(5..7));
    assert!(shares.wants(KEY), "so 7 and 8 are fetched");
    let holding = shares.holding(KEY).unwrap();
    take(&shares).unwrap();
    shares.rewind(KEY, holding);
    shares.add(KEY, records(7..9));
    assert_eq!(take(&shares), None);
    assert_eq!((shares.seeks(), shares.holding(KEY)), (vec![(KEY, 5)], Some(holding)));
    shares.sought(KEY, 5);
    shares.add(KEY, records(5..9));
    assert_eq!(take(&shares).unwrap().1, [5, 6, 7]);
}

#[tokio::test]
async fn damage_before_anything_was_seen_is_fetched_again_after_a_rest() {
    let shares = shares(3, 1_000, Duration::ZERO);
    shares.add(KEY, Vec::new());
    assert_eq!(shares.next(KEY), None);
    shares.refetch(KEY, 4, Duration::ZERO);
    assert_eq!(shares.seeks(), [(KEY, 4)]);
    assert!(!shares.wants(KEY));
    shares.sought(KEY, 4);
    assert!(shares.wants(KEY));
    // A rewind that came first lies before the damage.
    shares.add(KEY, records(4..6));
    let holding = shares.holding(KEY).unwrap();
    take(&shares).unwrap();
    shares.rewind(KEY, holding);
    shares.refetch(KEY, 6, Duration::from_mins(1));
    assert_eq!(shares.seeks(), [(KEY, 4)]);
    shares.sought(KEY, 4);
    assert!(!shares.wants(KEY), "it rests");
}

#[tokio::test]
async fn a_partition_that_leaves_hands_nothing_out_and_forgets_what_waited() {
    let shares = shares(2, 1_000, Duration::ZERO);
    shares.add(KEY, records(0..6));
    take(&shares).unwrap();
    let holding = shares.holding(KEY).unwrap();
    shares.leave(&[KEY]);
    assert!(shares.in_hand(&[KEY, OTHER]));
    shares.committed(KEY, 2);
    assert!(!shares.in_hand(&[KEY, OTHER]));
    assert_eq!(take(&shares), None);
    shares.gone(&[KEY]);
    assert_eq!(shares.holding(KEY), None);
    shares.assigned([KEY]);
    assert_ne!(shares.holding(KEY), Some(holding), "another holding");
    assert_eq!(take(&shares), None);
}

#[tokio::test]
async fn when_the_budget_is_used_up_the_largest_is_handed_out_early() {
    let shares = shares(1_000, 5_000, Duration::from_mins(10));
    shares.add(KEY, records(0..40));
    shares.add(OTHER, records(0..59));
    assert!(shares.wants(KEY));
    assert_eq!(take(&shares), None);
    shares.add(KEY, records(40..41));
    assert!(!shares.wants(KEY) && !shares.wants(OTHER));
    assert_eq!(take(&shares).unwrap().0, 1);
    assert!(shares.wants(KEY), "what is in hand is the caller's");
}

#[tokio::test]
async fn a_partition_that_begins_anew_forgets_the_old_one_and_what_is_in_hand_of_it() {
    let shares = shares(2, 1_000, Duration::ZERO);
    shares.add(KEY, records(100..104));
    let holding = shares.holding(KEY).unwrap();
    take(&shares).unwrap();
    shares.add(KEY, records(0..3));
    assert_ne!(shares.holding(KEY), Some(holding), "a commit of the old one is refused");
    assert_eq!(take(&shares).unwrap().1, [0, 1]);
}

#[tokio::test]
async fn errors_are_told_once_and_the_newest_are_kept() {
    let shares = shares(2, 1_000, Duration::ZERO);
    for n in 0..10 {
        shares.report(LogError::Unavailable(format!("{n}")));
    }
    for n in 6..10 {
        let told = shares.take().await.unwrap_err().to_string();
        assert!(told.ends_with(&format!("{n}")), "{told}");
    }
    assert_eq!(take(&shares), None);
    shares.end();
    assert!(shares.take().await.unwrap_err().to_string().contains("closed"));
}
