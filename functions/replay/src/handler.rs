//! The work: one source after its kind.

use clickstream_event::Sites;
use clickstream_log::SharedLog;
use clickstream_objects::SharedObjects;

use crate::{
    LoadRaw, ReplayError, ReplayReport, ReplayRequest, ReplaySource,
    raw::{self, Range},
    rejected,
};

/// Plays things again.
pub struct Replay {
    pub(crate) log: SharedLog,
    pub(crate) objects: SharedObjects,
    pub(crate) warehouse: Box<dyn LoadRaw>,
    pub(crate) sites: Sites,
}

impl Replay {
    /// Plays records of `log` through the rules of `sites`, and objects of `objects` into `warehouse`.
    pub fn new(log: SharedLog, objects: SharedObjects, warehouse: impl LoadRaw, sites: Sites) -> Self {
        Self { log, objects, warehouse: Box::new(warehouse), sites }
    }

    /// Plays what is asked for, or says what it would change.
    pub async fn run(&self, request: ReplayRequest) -> Result<ReplayReport, ReplayError> {
        let report = match request.source {
            ReplaySource::Rejected { from, to } => rejected::replay(self, &request, from.unwrap_or(0), to.unwrap_or(u64::MAX)).await?,
            ReplaySource::Raw { partition, from, to } => {
                let range = Range { partition, from: from.unwrap_or(0), to: to.unwrap_or(u64::MAX) };
                raw::replay(self, &range, request.dry_run).await?
            }
        };
        tracing::info!(read = report.read, taken = report.taken, dry_run = report.dry_run, "replayed");
        Ok(report)
    }
}
