//! What is asked and answered.

use clickstream_warehouse::LedgerRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Lag, LedgerGap};

/// What to reconcile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReconcileRequest {
    /// Only say what would be repaired.
    pub dry_run: bool,
    /// Accept that these offsets are lost for ever: `PARTITION:FROM-TO`, TO not included.
    pub accept_gap: Option<String>,
}

/// A repair that was done, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Repair {
    /// Which kind: `lost_notification`, `refilled_gap`, `accepted_gap`, `store_replayed`, `tables_restored`,
    /// `warehouse_restored`.
    pub kind: String,
    /// Of what.
    pub what: String,
    /// How many records or rows.
    pub count: u64,
    /// False in a dry run.
    pub done: bool,
}

/// What a run found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileReport {
    /// Nothing was changed.
    pub dry_run: bool,
    /// True if every record is accounted for and no gap is open.
    pub balanced: bool,
    /// What each step has of each partition, after the repairs.
    pub partitions: Vec<LedgerRow>,
    /// Offsets that no raw object holds, after the repairs.
    pub gaps: Vec<LedgerGap>,
    /// What was repaired.
    pub repairs: Vec<Repair>,
    /// How far consumer groups are behind.
    pub groups: Vec<Lag>,
    /// Objects that wait under spill/ to return to the log.
    pub spilled_objects: u64,
    /// What could not be looked at or repaired now; the next run does it.
    pub failed: Vec<String>,
}
