//! Every function with the parts it needs.

use std::{sync::Arc, time::Duration};

use clickstream_collect::{Collector, Limits};
use clickstream_compact::{Compact, CompactReport, CompactRequest, Invocation, Maintenance, MergeReport, VacuumRequest};
use clickstream_erase::{Erase, EraseRequest, Timing};
use clickstream_erasure::Tombstones;
use clickstream_event::Sites;
use clickstream_intake_files::IntakeFiles;
use clickstream_intake_topic::IntakeTopic;
use clickstream_lake::Vacuumed;
use clickstream_land::Land;
use clickstream_load::Load;
use clickstream_query::{Query, QueryContext};
use clickstream_reconcile::{Groups, RebuildRequest, Reconcile, ReconcileReport, ReconcileRequest, Settings, Sources};
use clickstream_replay::{Replay, ReplayRequest, ReplaySource};
use clickstream_retention::{REJECTED_DAYS, Retention, RetentionReport, RetentionRequest};
use clickstream_settle::{Settle, SettleReport};
use clickstream_store_events::StoreEvents;
use clickstream_telemetry::{Function, LiveFeed, Origin, watched, watched_by};
use clickstream_unspill::{Unspill, UnspillError, Unspilled};
use clickstream_warehouse::Warehouse;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{Parts, caught::caught, erasing::SettleNow, polled, retention::retention};
use crate::config::Config;

/// Merges of one run by the clock begin within this long: the next compaction is not to wait for them.
const MERGES: Duration = Duration::from_secs(30);

/// The functions, constructed once.
pub struct Functions {
    /// Events over HTTP.
    pub collect: Collector,
    /// Events of other systems.
    pub intake_topic: IntakeTopic,
    /// Events in files.
    pub intake_files: IntakeFiles,
    /// Events into the event store.
    pub store: StoreEvents,
    /// Events into raw objects.
    pub land: Land,
    /// Raw objects into ClickHouse.
    pub load: Load,
    /// Raw objects into the lake, and its upkeep.
    pub maintenance: Maintenance,
    /// Lake versions into ClickHouse.
    pub settle: Arc<Settle>,
    /// Reads.
    pub query: Query,
    /// Replays.
    pub replay: Replay,
    /// Persons forgotten.
    pub erase: Erase,
    /// What was spilled back into the log.
    pub unspill: Unspill,
    /// What is old and needed no more.
    retention: Retention,
    /// The ledger, repairs, and ClickHouse and the event store anew from the lake.
    pub reconcile: Reconcile,
    /// Which lake versions are settled.
    warehouse: Warehouse,
    /// One compaction at a time in this process; several are safe but waste work.
    compaction: Mutex<()>,
}

/// What a run of compact, settle and the merges after them did.
#[derive(Debug, Serialize)]
pub struct Compacted {
    /// Into the lake.
    pub compact: CompactReport,
    /// Into ClickHouse.
    pub settle: SettleReport,
    /// Files of the lake put together; none where it failed, which the next run makes good.
    pub merge: Option<MergeReport>,
}

impl Functions {
    /// Names that [`Functions::invoke`] knows.
    pub const NAMES: [&str; 9] = ["compact", "vacuum", "settle", "replay", "unspill", "erase", "reconcile", "rebuild", "retention"];

    /// The functions of a started service, for `sites`, on the log of the identity `log_id`.
    pub fn new(parts: &Parts, log_id: String, sites: &Sites, config: &Config) -> Self {
        let log = || Arc::clone(&parts.log);
        let objects = || Arc::clone(&parts.objects);
        let feed = LiveFeed::default();
        let log_id_of_ledger = log_id.clone();
        let limits = Limits { trusted_proxies: config.trusted_proxies.clone(), ..Limits::default() };
        let context = QueryContext {
            store: Arc::clone(&parts.store),
            warehouse: parts.warehouse.clone(),
            objects: objects(),
            lake: Arc::clone(&parts.lake),
            log_id: log_id.clone(),
            feed: feed.clone(),
        };
        let tombstones = Arc::new(Tombstones::new(objects(), config.erasure_key.clone()));
        let settle = Arc::new(Settle::new(Arc::clone(&parts.lake), parts.warehouse.clone()));
        let timing = Timing { topic_days: (config.log_days, REJECTED_DAYS), ..Timing::default() };
        let (lake, warehouse) = (Arc::clone(&parts.lake), parts.warehouse.clone());
        let erase = Erase::new(log(), Arc::clone(&parts.store), objects(), lake, warehouse, Arc::clone(&tombstones))
            .with_settle(Arc::new(SettleNow(Arc::clone(&settle))))
            .with_timing(timing);
        let compact = Compact::new(objects(), Arc::clone(&parts.lake), log_id.clone())
            .with_options(config.compact)
            .with_tombstones(Arc::clone(&tombstones));
        let replay = Replay::new(log(), objects(), parts.warehouse.clone(), sites.clone())
            .with_tombstones(Arc::clone(&tombstones))
            .with_lake(Arc::clone(&parts.lake), config.lake.memory)
            .with_settle(Arc::new(SettleNow(Arc::clone(&settle))));
        Self {
            collect: Collector::new(log(), sites.clone(), limits).with_feed(feed.clone()).with_spill(objects()),
            intake_topic: IntakeTopic::new(log(), sites.clone()).with_feed(feed),
            intake_files: IntakeFiles::new(log(), objects(), sites.clone(), clickstream_intake_files::Limits::default()),
            store: StoreEvents::new(Arc::clone(&parts.store)).with_tombstones(Arc::clone(&tombstones)),
            land: Land::new(objects(), log_id).with_tombstones(Arc::clone(&tombstones)),
            load: Load::new(objects(), parts.warehouse.clone()).with_tombstones(Arc::clone(&tombstones)),
            maintenance: Maintenance::new(Arc::clone(&parts.lake), compact, config.lake),
            settle,
            query: Query::new(context),
            replay,
            erase,
            unspill: Unspill::new(log(), objects()),
            retention: retention(parts, config),
            reconcile: reconcile(parts, log_id_of_ledger, tombstones, config),
            warehouse: parts.warehouse.clone(),
            compaction: Mutex::new(()),
        }
    }

    /// Brings what is new in raw/ into the lake, and new lake versions into ClickHouse; then merges small files of the
    /// lake, which changes no row.
    pub async fn compact_and_settle(&self) -> anyhow::Result<Compacted> {
        let _one = self.compaction.lock().await;
        let compact = watched(Function::Compact, Origin::Current, self.maintenance.compact.run(CompactRequest::default())).await?;
        let settle = watched(Function::Settle, Origin::Current, self.settle.run()).await?;
        let merged = watched(Function::Merge, Origin::Current, self.maintenance.merge.run_within(MERGES)).await;
        let merge = merged.inspect_err(|e| tracing::error!(error = e.to_string(), "files of the lake were not merged")).ok();
        if merge.as_ref().is_some_and(|m| m.merges > 0) {
            watched(Function::Settle, Origin::Current, self.settle.run()).await?;
        }
        Ok(Compacted { compact, settle, merge })
    }

    /// Removes what the lake no longer needs, of versions that ClickHouse is done with.
    pub async fn vacuum(&self, request: VacuumRequest) -> anyhow::Result<Vacuumed> {
        watched(Function::Vacuum, Origin::Current, async {
            let done = self.done_version().await?;
            let settled_version = request.settled_version.or(done).min(done);
            Ok(self.maintenance.vacuum(&VacuumRequest { settled_version, ..request }).await?)
        })
        .await
    }

    /// The newest version that is settled and in the marts; none before the first.
    async fn done_version(&self) -> anyhow::Result<Option<u64>> {
        let Some(settled) = self.warehouse.newest_commit().await? else { return Ok(None) };
        let waiting = self.warehouse.versions_without_marts().await?;
        Ok(waiting.first().map_or(Some(settled.version), |(version, _)| version.checked_sub(1)))
    }

    /// Runs the function `name` on a JSON payload; none if there is no such function. A panic is its failure.
    pub async fn invoke(&self, name: &str, payload: Value) -> Option<anyhow::Result<Value>> {
        let outcome = caught(async { self.run(name, payload).await.transpose() }).await;
        outcome.map_err(anyhow::Error::msg).transpose()
    }

    async fn run(&self, name: &str, payload: Value) -> Option<anyhow::Result<Value>> {
        Some(match name {
            "compact" => self.run_compact(payload).await,
            "vacuum" => self.run_vacuum(payload).await,
            "settle" => self.run_settle().await,
            "replay" => self.run_replay(payload).await,
            "unspill" => self.run_unspill().await,
            "erase" => self.run_erase(payload).await,
            "reconcile" => self.run_reconcile(payload).await,
            "rebuild" => self.run_rebuild(payload).await,
            "retention" => self.run_retention(payload).await,
            _ => return None,
        })
    }

    async fn run_compact(&self, payload: Value) -> anyhow::Result<Value> {
        let invocation: Invocation = serde_json::from_value(payload)?;
        if let Some(vacuum) = invocation.vacuum()? {
            return Ok(serde_json::to_value(self.vacuum(vacuum.clone()).await?)?);
        }
        let _one = self.compaction.lock().await;
        Ok(serde_json::to_value(watched(Function::Compact, Origin::Current, self.maintenance.invoke(invocation)).await?)?)
    }

    async fn run_vacuum(&self, payload: Value) -> anyhow::Result<Value> {
        Ok(serde_json::to_value(self.vacuum(serde_json::from_value(payload)?).await?)?)
    }

    async fn run_settle(&self) -> anyhow::Result<Value> {
        let _one = self.compaction.lock().await;
        Ok(serde_json::to_value(watched(Function::Settle, Origin::Current, self.settle.run()).await?)?)
    }

    async fn run_unspill(&self) -> anyhow::Result<Value> {
        Ok(serde_json::to_value(self.return_spilled().await?)?)
    }

    /// Erases whom the payload names; where it names nobody, goes on with what is not done.
    async fn run_erase(&self, payload: Value) -> anyhow::Result<Value> {
        if payload.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(serde_json::json!({ "finished": watched(Function::Erase, Origin::Current, self.erase.resume()).await? }));
        }
        let request: EraseRequest = serde_json::from_value(payload)?;
        let erasure = self.erase.begin(&request).await?;
        let receipt = watched(Function::Erase, Origin::Current, self.erase.run(&erasure.site_id, erasure.erasure_id)).await?;
        Ok(serde_json::from_str(&receipt)?)
    }

    /// Returns what was spilled to the log.
    pub async fn return_spilled(&self) -> Result<Unspilled, UnspillError> {
        watched(Function::Unspill, Origin::Current, self.unspill.run()).await
    }

    /// Returns what was spilled, then compares everything and mends. What cannot be returned waits, and is counted.
    pub async fn reconcile(&self, request: ReconcileRequest) -> anyhow::Result<ReconcileReport> {
        if !request.dry_run
            && let Err(error) = self.return_spilled().await
        {
            tracing::warn!(%error, "spilled events wait");
        }
        Ok(watched(Function::Reconcile, Origin::Current, self.reconcile.run(request)).await?)
    }

    async fn run_reconcile(&self, payload: Value) -> anyhow::Result<Value> {
        Ok(serde_json::to_value(self.reconcile(serde_json::from_value(payload)?).await?)?)
    }

    async fn run_rebuild(&self, payload: Value) -> anyhow::Result<Value> {
        let request: RebuildRequest = serde_json::from_value(payload)?;
        let _one = self.compaction.lock().await;
        Ok(serde_json::to_value(watched(Function::Rebuild, Origin::Current, self.reconcile.rebuild(request)).await?)?)
    }

    /// Removes what is old and needed no more, or says what would go.
    pub async fn retain(&self, request: RetentionRequest) -> RetentionReport {
        let run = self.retention.run(request);
        watched_by(Function::Retention, Origin::Current, |report: &RetentionReport| report.failed.is_empty(), run).await
    }

    async fn run_retention(&self, payload: Value) -> anyhow::Result<Value> {
        Ok(serde_json::to_value(self.retain(serde_json::from_value(payload)?).await)?)
    }

    /// Days are computed and settled while no compaction is: the two would only make each other begin again.
    async fn run_replay(&self, payload: Value) -> anyhow::Result<Value> {
        let request: ReplayRequest = serde_json::from_value(payload)?;
        let changes_lake = matches!(request.source, ReplaySource::Days { .. }) && !request.dry_run;
        let _one = if changes_lake { Some(self.compaction.lock().await) } else { None };
        Ok(serde_json::to_value(watched(Function::Replay, Origin::Current, self.replay.run(request)).await?)?)
    }
}

/// What the ledger is computed from.
fn reconcile(parts: &Parts, log_id: String, tombstones: Arc<Tombstones>, config: &Config) -> Reconcile {
    let (log, objects, lake) = (Arc::clone(&parts.log), Arc::clone(&parts.objects), Arc::clone(&parts.lake));
    let sources = Sources::new(log, objects, lake, parts.warehouse.clone(), Arc::clone(&parts.store), log_id).with_tombstones(tombstones);
    let (store, land) = (polled::STORE.into(), polled::LAND.into());
    let groups = Groups { store, store_rejected: polled::STORE.into(), land, intake_topic: polled::INTAKE_TOPIC.into() };
    let retention = Duration::from_hours(24 * u64::from(config.log_days));
    Reconcile::new(sources, Settings { groups, retention, ..Settings::default() })
}
