//! Gaps that an operator accepted, which reconcile keeps as objects. They are looked for only where compaction would stop.

use clickstream_columns::{gap_offsets, gap_prefix};
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
    let listed = objects.list(&gap_prefix(log_id, partition), None, 10_000).await?;
    Ok(listed.iter().filter_map(|object| gap_offsets(&object.key)).filter(|(from, to)| *from <= at && at < *to).map(|(_, to)| to).max())
}
