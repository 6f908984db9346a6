//! Whether the log still has what was settled of it. Where a topic was lost or an old copy of it was put back, the log
//! would give offsets out again that mean other events already, and those would never count.

use std::{collections::BTreeMap, fmt, time::Duration};

use anyhow::{Context as _, bail};
use clickstream_log::{EVENTS, Extent};

use super::Parts;

/// Longest wait for ClickHouse, which may be away when the service starts.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A partition that ends before what is settled of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    partition: u32,
    /// The offset that the next record would get.
    end: u64,
    /// The offset up to which records are settled.
    settled: u64,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, end, settled } = self;
        write!(f, "partition {partition} of topic {EVENTS} ends at offset {end} and is settled up to offset {settled}")
    }
}

/// What to do about a log on Kafka.
pub const ON_KAFKA: &str = "the topic was lost or an older copy of it was put back: put back the log that was, or begin a new one with \
                            `clickstream setup --new-log`";

/// Partitions of the log `log_id` that end before one of `watermarks` (next offsets by `{log_id}/{partition}`).
pub fn lost(log_id: &str, extents: &[Extent], watermarks: &[BTreeMap<String, u64>]) -> Vec<Lost> {
    let mut settled: BTreeMap<u32, u64> = BTreeMap::new();
    for (place, next) in watermarks.iter().flatten() {
        let partition = place.strip_prefix(log_id).and_then(|rest| rest.strip_prefix('/')).and_then(|partition| partition.parse().ok());
        if let Some(partition) = partition {
            let known = settled.entry(partition).or_default();
            *known = (*known).max(*next);
        }
    }
    let end = |partition| extents.iter().find(|extent| extent.partition == partition).map_or(0, |extent| extent.end);
    let all = settled.into_iter().map(|(partition, settled)| Lost { partition, end: end(partition), settled });
    all.filter(|lost| lost.end < lost.settled).collect()
}

/// One sentence about all of them.
pub fn sentence(lost: &[Lost]) -> String {
    lost.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Refuses a log that has lost what is settled. Where the log or ClickHouse does not answer, the start goes on as it would.
pub async fn check(parts: &Parts, log_id: &str) -> anyhow::Result<()> {
    // What is settled is asked first: the log's end only grows.
    let lake = parts.lake.newest_watermarks().await.context("the lake cannot be read")?;
    let shown = match tokio::time::timeout(ANSWER_WITHIN, parts.warehouse.newest_commit()).await {
        Ok(Ok(commit)) => commit.map(|commit| commit.watermarks).unwrap_or_default(),
        Ok(Err(error)) => unasked(&error),
        Err(late) => unasked(&late),
    };
    let extents = match parts.log.extents(EVENTS).await {
        Ok(extents) => extents,
        Err(error) => {
            tracing::warn!(%error, "the log does not say where it ends");
            return Ok(());
        }
    };
    let lost = lost(log_id, &extents, &[lake, shown]);
    if lost.is_empty() {
        return Ok(());
    }
    match parts.log_folder() {
        None => bail!("{}: {ON_KAFKA}", sentence(&lost)),
        Some(folder) => bail!(
            "{}: an older copy of the log was put back: put back the newest copy of {folder}, or move {folder} away, which begins a new log",
            sentence(&lost),
            folder = folder.display()
        ),
    }
}

fn unasked(error: &dyn fmt::Display) -> BTreeMap<String, u64> {
    tracing::warn!(%error, "ClickHouse does not say what is settled");
    BTreeMap::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watermarks(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
        of.iter().map(|(place, next)| ((*place).to_owned(), *next)).collect()
    }

    #[test]
    fn a_partition_that_ends_before_what_is_settled_is_lost() {
        let extents = [Extent { partition: 0, start: 0, end: 10 }, Extent { partition: 1, start: 5, end: 7 }];
        let fine = watermarks(&[("log/0", 10), ("log/1", 6)]);
        assert_eq!(lost("log", &extents, &[fine.clone(), BTreeMap::new()]), []);
        let newer = watermarks(&[("log/1", 8), ("older/0", 99), ("log-2/0", 99)]);
        assert_eq!(lost("log", &extents, &[fine.clone(), newer]), [Lost { partition: 1, end: 7, settled: 8 }]);
        // A partition that is gone, and one that nothing was settled of.
        let said = sentence(&lost("log", &extents, &[watermarks(&[("log/2", 3), ("log/3", 0)]), fine]));
        assert_eq!(said, "partition 2 of topic events ends at offset 0 and is settled up to offset 3");
    }
}
