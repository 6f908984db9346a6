//! Offsets that are missing, and those that were accepted as lost.

use clickstream_columns::{gap_key, gap_offsets, gap_prefix};
use clickstream_event::Micros;
use clickstream_log::{EVENTS, Extent};
use clickstream_objects::{Condition, ObjectError, PutOptions};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    Reconcile, ReconcileError,
    raw::{RawObject, uncovered},
};

/// Offsets `[from, to)` that no raw object holds though later ones are landed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerGap {
    /// The log.
    pub log_id: String,
    /// The partition.
    pub log_partition: u32,
    /// The first offset that is missing.
    pub from: u64,
    /// The offset after the last one.
    pub to: u64,
    /// True where the log still holds them: reconcile lands them again.
    pub in_log: bool,
    /// True where an operator accepted that they are lost.
    pub accepted: bool,
}

/// Gaps of a partition that were accepted, half-open.
pub type Accepted = Vec<(u64, u64)>;

/// Splits what is missing into what the log still holds and what it does not, and leaves accepted offsets apart.
pub fn name_gaps(log_id: &str, extent: &Extent, missing: &[(u64, u64)], accepted: &Accepted) -> Vec<LedgerGap> {
    let gap =
        |from, to, in_log, accepted| LedgerGap { log_id: log_id.to_owned(), log_partition: extent.partition, from, to, in_log, accepted };
    let mut gaps = Vec::new();
    for (from, to) in missing {
        for (open, end) in uncovered(accepted.clone(), *from, *to) {
            let kept = extent.start.clamp(open, end);
            gaps.extend((open < kept).then(|| gap(open, kept, false, false)));
            gaps.extend((kept < end).then(|| gap(kept, end, true, false)));
        }
        let closed = accepted.iter().map(|(a, b)| ((*a).max(*from), (*b).min(*to))).filter(|(a, b)| a < b);
        gaps.extend(closed.map(|(a, b)| gap(a, b, false, true)));
    }
    gaps.sort_by_key(|gap| gap.from);
    gaps
}

/// How far the offsets from `watermark` on are held or accepted without a break.
pub fn unbroken_end(watermark: u64, objects: &[RawObject], accepted: &Accepted) -> u64 {
    let held = objects.iter().map(|o| (o.first, o.last + 1)).chain(accepted.iter().copied()).collect::<Vec<_>>();
    let furthest = held.iter().map(|(_, end)| *end).max().unwrap_or(watermark).max(watermark);
    uncovered(held, watermark, furthest).first().map_or(furthest, |(gap, _)| *gap)
}

impl Reconcile {
    /// The accepted gaps of a partition.
    pub(crate) async fn accepted(&self, log_id: &str, partition: u32) -> Result<Accepted, ReconcileError> {
        let listed = self.sources.objects.list(&gap_prefix(log_id, partition), None, 10_000).await?;
        Ok(listed.iter().filter_map(|object| gap_offsets(&object.key)).collect())
    }

    /// Accepts that offsets are lost: only those of an open gap that the log holds no more.
    pub(crate) async fn accept(&self, text: &str, open: &[LedgerGap], dry_run: bool) -> Result<(u32, u64, u64), ReconcileError> {
        let (partition, from, to) = parse(text)?;
        let named = |gap: &LedgerGap| format!("{}:{}-{}", gap.log_partition, gap.from, gap.to);
        let of_partition = || open.iter().filter(|gap| gap.log_partition == partition && !gap.accepted);
        if let Some(gap) = of_partition().find(|gap| gap.in_log && gap.from < to && from < gap.to) {
            return Err(ReconcileError::Request(format!(
                "the log still holds the offsets {} of topic {EVENTS}: run reconcile, which lands them again",
                named(gap)
            )));
        }
        if !of_partition().any(|gap| !gap.in_log && gap.from <= from && to <= gap.to) {
            let lost: Vec<_> = open.iter().filter(|gap| !gap.in_log && !gap.accepted).map(named).collect();
            let lost = if lost.is_empty() { "there is none".to_owned() } else { format!("there are {}", lost.join(", ")) };
            return Err(ReconcileError::Request(format!("{text:?} is no gap that the log cannot fill: {lost}")));
        }
        if !dry_run {
            let key = gap_key(&self.sources.log_id, partition, from, to);
            let body =
                json!({ "log_id": self.sources.log_id, "partition": partition, "from": from, "to": to, "accepted_at": Micros::now() });
            let options =
                PutOptions { condition: Condition::Absent, content_type: Some("application/json".to_owned()), ..PutOptions::default() };
            match self.sources.objects.put(&key, body.to_string().into(), options).await {
                Ok(_) | Err(ObjectError::PreconditionFailed(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok((partition, from, to))
    }
}

/// Reads `PARTITION:FROM-TO`.
fn parse(text: &str) -> Result<(u32, u64, u64), ReconcileError> {
    let read = || {
        let (partition, offsets) = text.split_once(':')?;
        let (from, to) = offsets.split_once('-')?;
        let (from, to) = (from.parse().ok()?, to.parse().ok()?);
        (from < to).then_some(())?;
        Some((partition.parse().ok()?, from, to))
    };
    read().ok_or_else(|| {
        ReconcileError::Request(format!("{text:?} names no gap: right would be PARTITION:FROM-TO such as 3:100-120, TO not included"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_split_by_what_the_log_holds_and_what_was_accepted() {
        let extent = Extent { partition: 2, start: 15, end: 50 };
        let gaps = name_gaps("l", &extent, &[(10, 20), (30, 32)], &vec![(10, 12)]);
        let told: Vec<_> = gaps.iter().map(|g| (g.from, g.to, g.in_log, g.accepted)).collect();
        assert_eq!(told, [(10, 12, false, true), (12, 15, false, false), (15, 20, true, false), (30, 32, true, false)]);
    }

    #[test]
    fn a_gap_is_named_in_one_way() {
        assert_eq!(parse("3:100-120").ok(), Some((3, 100, 120)));
        for wrong in ["", "3", "3:5", "3:5-5", "3:9-5", "x:1-2", "1:1-2-3"] {
            assert!(parse(wrong).is_err_and(|e| e.to_string().contains("PARTITION:FROM-TO")), "{wrong}");
        }
    }

    #[test]
    fn an_accepted_gap_is_passed() {
        let object = |first, last| RawObject { key: String::new(), first, last, modified_at: Micros(0) };
        let objects = [object(0, 4), object(7, 9), object(12, 13)];
        assert_eq!(unbroken_end(0, &objects, &vec![]), 5);
        assert_eq!(unbroken_end(0, &objects, &vec![(5, 7)]), 10);
        assert_eq!(unbroken_end(20, &[], &vec![]), 20);
    }
}
