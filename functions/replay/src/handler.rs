//! The work: one source after its kind.

use std::{collections::BTreeMap, sync::Arc};

use clickstream_erasure::Tombstones;
use clickstream_event::{Micros, Sites};
use clickstream_lake::Lake;
use clickstream_log::SharedLog;
use clickstream_objects::{Condition, PutOptions, SharedObjects};
use serde_json::json;
use uuid::Uuid;

use crate::{
    LoadRaw, ReplayError, ReplayReport, ReplayRequest, ReplaySource, Settles, days_asked,
    raw::{self, Range},
    rejected, topic,
};

/// Plays things again.
pub struct Replay {
    pub(crate) log: SharedLog,
    pub(crate) objects: SharedObjects,
    pub(crate) warehouse: Box<dyn LoadRaw>,
    pub(crate) sites: Sites,
    pub(crate) tombstones: Arc<Tombstones>,
    pub(crate) lake: Option<Arc<Lake>>,
    pub(crate) memory: Option<u64>,
    pub(crate) settles: Option<Arc<dyn Settles>>,
}

impl Replay {
    /// Plays records of `log` through the rules of `sites`, and objects of `objects` into `warehouse`.
    pub fn new(log: SharedLog, objects: SharedObjects, warehouse: impl LoadRaw, sites: Sites) -> Self {
        let tombstones = Arc::new(Tombstones::new(Arc::clone(&objects), None));
        Self { log, objects, warehouse: Box::new(warehouse), sites, tombstones, lake: None, memory: None, settles: None }
    }

    /// Asks `tombstones` whose events are erased; by default those of the bucket with the bucket's own key.
    #[must_use]
    pub fn with_tombstones(self, tombstones: Arc<Tombstones>) -> Self {
        Self { tombstones, ..self }
    }

    /// Plays days of `lake` too, in about so many bytes of memory.
    #[must_use]
    pub fn with_lake(self, lake: Arc<Lake>, memory: u64) -> Self {
        Self { lake: Some(lake), memory: Some(memory), ..self }
    }

    /// Has days that were played settled at once.
    #[must_use]
    pub fn with_settle(self, settles: Arc<dyn Settles>) -> Self {
        Self { settles: Some(settles), ..self }
    }

    /// Plays what is asked for, or says what it would change.
    pub async fn run(&self, request: ReplayRequest) -> Result<ReplayReport, ReplayError> {
        let (began, erased) = (Micros::now(), self.tombstones.fresh().await?);
        let mut report = match request.source {
            ReplaySource::Days { from_day, to_day } => days_asked::replay(self, &request, from_day, to_day).await?,
            ReplaySource::Rejected { from, to } => {
                rejected::replay(self, &request, from.unwrap_or(0), to.unwrap_or(u64::MAX), &erased).await?
            }
            ReplaySource::Topic { partition, from, to } => {
                let range = Range { partition, from: from.unwrap_or(0), to: to.unwrap_or(u64::MAX) };
                topic::replay(self, &request, &range, &erased).await?
            }
            ReplaySource::Raw { partition, from, to } => {
                let range = Range { partition, from: from.unwrap_or(0), to: to.unwrap_or(u64::MAX) };
                raw::replay(self, &range, request.dry_run, &erased).await?
            }
        };
        env!("CARGO_PKG_VERSION").clone_into(&mut report.program);
        if !report.dry_run {
            self.keep(&request, &mut report, began).await?;
        }
        tracing::info!(read = report.read, taken = report.taken, dry_run = report.dry_run, "replayed");
        Ok(report)
    }

    /// Writes down what was played, by which rules, and what came of it.
    async fn keep(&self, request: &ReplayRequest, report: &mut ReplayReport, began: Micros) -> Result<(), ReplayError> {
        let id = Uuid::now_v7();
        report.replay_id = Some(id);
        let kept = json!({ "replay_id": id, "request": request, "report": report, "began_at": began, "finished_at": Micros::now() });
        let options =
            PutOptions { condition: Condition::Absent, content_type: Some("application/json".to_owned()), metadata: BTreeMap::new() };
        self.objects.put(&format!("replays/{id}.json"), serde_json::to_vec_pretty(&kept)?.into(), options).await?;
        Ok(())
    }
}
