//! Raw objects into ClickHouse's table `fresh`: what a lost notification left out.

use crate::{Replay, ReplayError, ReplayReport, ReplayRequest};

/// Objects listed at a time.
const PAGE: usize = 1_000;

pub async fn replay(replay: &Replay, request: &ReplayRequest, from: u64, to: u64) -> Result<ReplayReport, ReplayError> {
    let mut report = ReplayReport { dry_run: request.dry_run, ..ReplayReport::default() };
    let settled = replay.warehouse.newest_commit().await?.map(|c| c.watermarks).unwrap_or_default();
    let prefix = format!("raw/events/{}/", replay.log.log_id());
    let mut after = None;
    loop {
        let page = replay.objects.list(&prefix, after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        for object in &page {
            let Some((partition, first, last)) = place(&object.key[prefix.len()..]) else { continue };
            if last < from || first >= to {
                continue;
            }
            report.read += 1;
            let watermark = settled.get(&format!("{}/{partition}", replay.log.log_id())).copied().unwrap_or(0);
            if last < watermark {
                *report.still_rejected.entry("settled".to_owned()).or_default() += 1;
                continue;
            }
            report.taken += 1;
            if !request.dry_run {
                let (_, bytes) = replay.objects.get(&object.key).await?;
                replay.warehouse.insert_raw(bytes).await?;
            }
        }
    }
    Ok(report)
}

/// `{partition:05}/{last:020}-{first:020}.parquet`
fn place(name: &str) -> Option<(u32, u64, u64)> {
    let (partition, offsets) = name.split_once('/')?;
    let (last, first) = offsets.strip_suffix(".parquet")?.split_once('-')?;
    Some((partition.parse().ok()?, first.parse().ok()?, last.parse().ok()?))
}
