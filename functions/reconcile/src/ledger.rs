//! The ledger: what each step has of each partition, computed now.

use std::collections::BTreeMap;

use clickstream_event::Micros;
use clickstream_lake::{Counts, PlaceCounts, Watermarks, place};
use clickstream_log::{EVENTS, Extent, REJECTED};
use clickstream_warehouse::{LedgerHour, LedgerRow, Repaired, WarehouseError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    LedgerGap, Reconcile, ReconcileError,
    gaps::{name_gaps, unbroken_end},
    raw,
};

/// Repairs shown.
const REPAIRS: u32 = 50;
/// Spill objects counted at most.
const SPILLED: usize = 10_000;

/// The ledger as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ledger {
    /// When it was computed.
    pub at: Micros,
    /// The lake's newest version.
    pub lake_version: u64,
    /// The newest version that reports show.
    pub settled_version: Option<u64>,
    /// True if every record is accounted for and no gap is open.
    pub balanced: bool,
    /// What each step has of each partition.
    pub partitions: Vec<LedgerRow>,
    /// Offsets that no raw object holds though later ones are landed.
    pub gaps: Vec<LedgerGap>,
    /// How far each step came within the last hours, by what reconcile kept.
    pub hours: Vec<LedgerHour>,
    /// The newest repairs.
    pub repairs: Vec<Repaired>,
    /// Objects that wait under spill/ to return to the log: accepted, and not logged yet.
    pub spilled_objects: u64,
}

/// What all rows are computed from.
pub(crate) struct Known {
    pub events: Vec<Extent>,
    pub rejected: Vec<Extent>,
    stored: BTreeMap<u32, u64>,
    stored_rejections: BTreeMap<u32, u64>,
    pub landed: BTreeMap<u32, u64>,
    pub lake_version: u64,
    pub lake: Watermarks,
    pub settled_version: Option<u64>,
    pub settled: Watermarks,
    counts: Counts,
    settled_rows: BTreeMap<String, u64>,
    shown_rows: BTreeMap<String, u64>,
}

impl Known {
    /// The offset up to which a partition is settled.
    pub fn settled_to(&self, place: &str) -> u64 {
        self.settled.get(place).copied().unwrap_or(0)
    }

    /// The offset up to which the event store was given a partition, if it was given any.
    pub fn stored_to(&self, partition: u32) -> Option<u64> {
        self.stored.get(&partition).copied()
    }

    /// The offset up to which a partition is in the lake.
    pub fn compacted_to(&self, place: &str) -> u64 {
        self.lake.get(place).copied().unwrap_or(0)
    }
}

impl Reconcile {
    /// Computes the ledger. Nothing is changed.
    pub async fn ledger(&self, hours: u32) -> Result<Ledger, ReconcileError> {
        let known = self.known().await?;
        let (partitions, gaps) = self.rows(&known).await?;
        let warehouse = &self.sources.warehouse;
        Ok(Ledger {
            at: Micros::now(),
            lake_version: known.lake_version,
            settled_version: known.settled_version,
            balanced: balanced(&partitions, &gaps),
            partitions,
            gaps,
            hours: warehouse.ledger_hours(hours).await?,
            repairs: warehouse.repairs(REPAIRS).await?,
            spilled_objects: self.spilled().await?,
        })
    }

    /// Asks every part. What a later step has is asked before what an earlier one has, so that nothing seems to be
    /// there before it came.
    pub(crate) async fn known(&self) -> Result<Known, ReconcileError> {
        let (log, warehouse, groups) = (&self.sources.log, &self.sources.warehouse, &self.settings.groups);
        let (commit, settled_rows) = self.settled().await?;
        let shown_rows = warehouse.shown_by_place().await?;
        let lake = self.sources.lake.snapshot().await?;
        let settled_version = commit.as_ref().map(|commit| commit.version);
        let counts = match settled_version {
            Some(version) if version <= lake.version => self.sources.lake.counts(version).await?,
            _ => Counts::new(),
        };
        let next = |committed: Vec<(u32, Option<u64>)>| committed.into_iter().filter_map(|(p, next)| Some((p, next?))).collect();
        Ok(Known {
            stored: next(log.committed(&groups.store, EVENTS).await?),
            stored_rejections: next(log.committed(&groups.store_rejected, REJECTED).await?),
            landed: next(log.committed(&groups.land, EVENTS).await?),
            events: log.extents(EVENTS).await?,
            rejected: log.extents(REJECTED).await?,
            lake_version: lake.version,
            lake: lake.watermarks,
            settled_version,
            settled: commit.map(|commit| commit.watermarks).unwrap_or_default(),
            counts,
            settled_rows,
            shown_rows,
        })
    }

    /// The newest commit and the rows of exactly its version.
    async fn settled(&self) -> Result<(Option<clickstream_warehouse::Commit>, BTreeMap<String, u64>), WarehouseError> {
        let warehouse = &self.sources.warehouse;
        loop {
            let before = warehouse.newest_commit().await?;
            let rows = warehouse.settled_by_place().await?;
            if warehouse.newest_commit().await? == before {
                return Ok((before, rows));
            }
        }
    }

    /// A row per partition, and every gap.
    pub(crate) async fn rows(&self, known: &Known) -> Result<(Vec<LedgerRow>, Vec<LedgerGap>), ReconcileError> {
        let (at, log_id) = (Micros::now().0, &self.sources.log_id);
        let (mut rows, mut gaps) = (Vec::new(), Vec::new());
        for extent in &known.events {
            let place = place(log_id, extent.partition);
            let compacted = known.compacted_to(&place);
            let objects = raw::objects_from(&self.sources.objects, log_id, extent.partition, compacted).await?;
            let accepted = self.accepted(log_id, extent.partition).await?;
            let missing = missing_of(&objects, extent, compacted, known.landed.get(&extent.partition).copied());
            gaps.extend(name_gaps(log_id, extent, &missing, &accepted));
            let landed = unbroken_end(compacted, &objects, &accepted);
            let row = LedgerRow { at, landed, stored: known.stored.get(&extent.partition).copied().unwrap_or(0), ..LedgerRow::default() };
            rows.push(of_events(known, log_id, extent.partition, extent.end, row));
        }
        // Logs that were: nothing comes to them any more.
        for (place, next) in &known.lake {
            let Some((other, partition)) = place.rsplit_once('/').filter(|(other, _)| other != log_id) else { continue };
            let Ok(partition) = partition.parse() else { continue };
            rows.push(of_events(known, other, partition, *next, LedgerRow { at, landed: *next, stored: *next, ..LedgerRow::default() }));
        }
        for extent in &known.rejected {
            rows.push(LedgerRow {
                at,
                topic: REJECTED.to_owned(),
                log_id: log_id.clone(),
                log_partition: extent.partition,
                logged: extent.end,
                rejected: extent.end,
                stored: known.stored_rejections.get(&extent.partition).copied().unwrap_or(0),
                ..LedgerRow::default()
            });
        }
        Ok((rows, gaps))
    }

    pub(crate) async fn spilled(&self) -> Result<u64, ReconcileError> {
        Ok(self.sources.objects.list("spill/", None, SPILLED).await?.len() as u64)
    }
}

/// Offsets that no object holds though land is past them, or that the log lost before land came to them.
fn missing_of(objects: &[raw::RawObject], extent: &Extent, compacted: u64, landed: Option<u64>) -> Vec<(u64, u64)> {
    let furthest = objects.iter().map(|object| object.last + 1).max().unwrap_or(compacted);
    let to = landed.unwrap_or(0).max(extent.start).max(furthest);
    raw::uncovered(objects.iter().map(|object| (object.first, object.last + 1)).collect(), compacted, to)
}

/// A partition of topic `events`. `row` says what is not in `known`.
fn of_events(known: &Known, log_id: &str, partition: u32, logged: u64, row: LedgerRow) -> LedgerRow {
    let place = place(log_id, partition);
    let settled_to = known.settled_to(&place);
    let of = |rows: &BTreeMap<String, u64>| rows.get(&place).copied().unwrap_or(0);
    let (settled, loaded) = (of(&known.settled_rows), of(&known.shown_rows));
    let counts = known.counts.get(&place).copied().unwrap_or(PlaceCounts { since: settled_to, ..PlaceCounts::default() });
    // Of offsets below `since` nothing was counted: what is not in the lake is taken for repeats.
    let earlier = settled.saturating_sub(counts.rows).min(counts.since);
    let duplicates = counts.duplicates + (counts.since - earlier);
    let accounted = settled + duplicates + counts.erased + counts.dead_letters + counts.missing + counts.expired;
    LedgerRow {
        topic: EVENTS.to_owned(),
        log_id: log_id.to_owned(),
        log_partition: partition,
        logged,
        loaded,
        settled,
        duplicates,
        erased: counts.erased,
        dead_letters: counts.dead_letters,
        missing: counts.missing,
        expired: counts.expired,
        pending: logged.saturating_sub(settled_to),
        rejected: 0,
        unaccounted: settled_to.cast_signed() - accounted.cast_signed(),
        ..row
    }
}

/// True if every record is accounted for and no gap is open.
pub(crate) fn balanced(rows: &[LedgerRow], gaps: &[LedgerGap]) -> bool {
    rows.iter().all(|row| row.unaccounted == 0) && gaps.iter().all(|gap| gap.accepted)
}
