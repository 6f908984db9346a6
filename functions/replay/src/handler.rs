//! The work: one source after its kind.

use clickstream_event::Sites;
use clickstream_log::SharedLog;
use clickstream_objects::SharedObjects;
use clickstream_warehouse::Warehouse;

use crate::{ReplayError, ReplayReport, ReplayRequest, ReplaySource, raw, rejected};

/// Plays things again.
pub struct Replay {
    pub(crate) log: SharedLog,
    pub(crate) objects: SharedObjects,
    pub(crate) warehouse: Warehouse,
    pub(crate) sites: Sites,
}

impl Replay {
    /// Plays records of `log` and objects of `objects`.
    pub fn new(log: SharedLog, objects: SharedObjects, warehouse: Warehouse, sites: Sites) -> Self {
        Self { log, objects, warehouse, sites }
    }

    /// Plays what is asked for, or says what it would change.
    pub async fn run(&self, request: ReplayRequest) -> Result<ReplayReport, ReplayError> {
        let report = match request.source {
            ReplaySource::Rejected { from, to } => rejected::replay(self, &request, from.unwrap_or(0), to.unwrap_or(u64::MAX)).await?,
            ReplaySource::Raw { from, to } => raw::replay(self, &request, from.unwrap_or(0), to.unwrap_or(u64::MAX)).await?,
        };
        tracing::info!(read = report.read, taken = report.taken, dry_run = report.dry_run, "replayed");
        Ok(report)
    }
}
