//! Gaps that an operator accepted: objects `ledger/gaps/{log_id}/{partition:05}/{from:020}-{to:020}.json`, which reconcile
//! writes. They are looked for only where compaction would stop.

use clickstream_objects::SharedObjects;

use crate::{
    CompactError,
    plan::{RawObject, Run, unbroken},
};

/// The unbroken run from `watermark` on, where what was accepted as lost is no gap.
pub async fn unbroken_past_accepted(
    objects: &SharedObjects,
    (log_id, partition): (&str, u32),
    listed: Vec<RawObject>,
    watermark: u64,
    most: u64,
) -> Result<Run, CompactError> {
    let mut run = unbroken(listed.clone(), watermark, most);
    while run.objects.is_empty()
        && let Some(at) = run.gap_at
        && let Some(to) = accepted_to(objects, log_id, partition, at).await?
    {
        tracing::warn!(partition, from = at, to, "passing a gap that was accepted");
        run = Run { missing: to - watermark, ..unbroken(listed.clone(), to, most) };
    }
    Ok(run)
}

/// The end of an accepted gap that holds the offset `at`.
async fn accepted_to(objects: &SharedObjects, log_id: &str, partition: u32, at: u64) -> Result<Option<u64>, CompactError> {
    let prefix = format!("ledger/gaps/{log_id}/{partition:05}/");
    let offsets = |key: &str| {
        let (from, to) = key.strip_prefix(&prefix)?.strip_suffix(".json")?.split_once('-')?;
        Some((from.parse::<u64>().ok()?, to.parse::<u64>().ok()?))
    };
    let listed = objects.list(&prefix, None, 10_000).await?;
    Ok(listed.iter().filter_map(|object| offsets(&object.key)).filter(|(from, to)| *from <= at && at < *to).map(|(_, to)| to).max())
}
