//! From bucket to bucket, newest first.

use futures::future::try_join_all;

use crate::StoreError;

/// Buckets looked at at once, at most.
const MOST_AT_ONCE: usize = 16;

/// Up to `wanted` rows of `buckets`, in their order. `read` gives up to `wanted` rows of one, in its order.
///
/// One bucket mostly has enough, so first one is read, then two, four and so on: a person seen last a year ago costs a
/// few rounds, not one for each month.
pub(super) async fn rows<B: Copy, T, F>(buckets: &[B], wanted: usize, read: impl Fn(B) -> F) -> Result<Vec<T>, StoreError>
where
    F: Future<Output = Result<Vec<T>, StoreError>>,
{
    let mut found = Vec::new();
    let (mut rest, mut ahead) = (buckets, 1);
    while found.len() < wanted && !rest.is_empty() {
        let (window, later) = rest.split_at(ahead.min(rest.len()));
        found.extend(try_join_all(window.iter().map(|bucket| read(*bucket))).await?.into_iter().flatten());
        (rest, ahead) = (later, (ahead * 2).min(MOST_AT_ONCE));
    }
    found.truncate(wanted);
    Ok(found)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn rows_come_in_order_and_no_more_buckets_are_read_than_needed() {
        let read = AtomicUsize::new(0);
        let of = |bucket: usize| {
            read.fetch_add(1, Ordering::Relaxed);
            async move { Ok((0..bucket % 3).map(|n| (bucket, n)).collect()) }
        };
        let buckets: Vec<usize> = (0..100).collect();
        let all: Vec<_> = buckets.iter().flat_map(|b| (0..b % 3).map(|n| (*b, n))).collect();
        for wanted in [0, 1, 2, 7, 99, 100, 1_000] {
            assert_eq!(rows(&buckets, wanted, of).await.unwrap(), all[..wanted.min(all.len())]);
        }
        for (wanted, buckets_read) in [(3, 3), (4, 7)] {
            read.store(0, Ordering::Relaxed);
            rows(&buckets, wanted, of).await.unwrap();
            assert_eq!(read.load(Ordering::Relaxed), buckets_read);
        }
    }
}
