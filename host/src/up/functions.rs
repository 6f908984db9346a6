//! Every function with the parts it needs.

use std::{sync::Arc, time::Duration};

use clickstream_collect::{Collector, Limits};
use clickstream_compact::{Compact, CompactReport, CompactRequest};
use clickstream_event::Sites;
use clickstream_intake_files::IntakeFiles;
use clickstream_intake_topic::IntakeTopic;
use clickstream_land::Land;
use clickstream_load::Load;
use clickstream_query::{Query, QueryContext};
use clickstream_reconcile::{Groups, RebuildRequest, Reconcile, ReconcileReport, ReconcileRequest, Settings, Sources};
use clickstream_replay::Replay;
use clickstream_settle::{Settle, SettleReport};
use clickstream_store_events::StoreEvents;
use clickstream_telemetry::LiveFeed;
use clickstream_unspill::Unspill;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{Parts, polled};
use crate::config::Config;

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
    /// Raw objects into the lake.
    pub compact: Compact,
    /// Lake versions into ClickHouse.
    pub settle: Settle,
    /// Reads.
    pub query: Query,
    /// Replays.
    pub replay: Replay,
    /// What was spilled back into the log.
    pub unspill: Unspill,
    /// The ledger, repairs, and ClickHouse and the event store anew from the lake.
    pub reconcile: Reconcile,
    /// One compaction at a time in this process; several are safe but waste work.
    compaction: Mutex<()>,
}

/// What a run of compact and settle did.
#[derive(Debug, Serialize)]
pub struct Compacted {
    /// Into the lake.
    pub compact: CompactReport,
    /// Into ClickHouse.
    pub settle: SettleReport,
}

impl Functions {
    /// Names that [`Functions::invoke`] knows.
    pub const NAMES: [&str; 6] = ["compact", "settle", "replay", "unspill", "reconcile", "rebuild"];

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
        Self {
            collect: Collector::new(log(), sites.clone(), limits).with_feed(feed.clone()).with_spill(objects()),
            intake_topic: IntakeTopic::new(log(), sites.clone()).with_feed(feed),
            intake_files: IntakeFiles::new(log(), objects(), sites.clone(), clickstream_intake_files::Limits::default()),
            store: StoreEvents::new(Arc::clone(&parts.store)),
            land: Land::new(objects(), log_id.clone()),
            load: Load::new(objects(), parts.warehouse.clone()),
            compact: Compact::new(objects(), Arc::clone(&parts.lake), log_id),
            settle: Settle::new(Arc::clone(&parts.lake), parts.warehouse.clone()),
            query: Query::new(context),
            replay: Replay::new(log(), objects(), parts.warehouse.clone(), sites.clone()),
            unspill: Unspill::new(log(), objects()),
            reconcile: reconcile(parts, log_id_of_ledger, config),
            compaction: Mutex::new(()),
        }
    }

    /// Brings what is new in raw/ into the lake, and new lake versions into ClickHouse.
    pub async fn compact_and_settle(&self) -> anyhow::Result<Compacted> {
        let _one = self.compaction.lock().await;
        let compact = self.compact.run(CompactRequest::default()).await?;
        let settle = self.settle.run().await?;
        Ok(Compacted { compact, settle })
    }

    /// Runs the function `name` on a JSON payload; none if there is no such function.
    pub async fn invoke(&self, name: &str, payload: Value) -> Option<anyhow::Result<Value>> {
        Some(match name {
            "compact" => self.run_compact(payload).await,
            "settle" => self.run_settle().await,
            "replay" => self.run_replay(payload).await,
            "unspill" => self.run_unspill().await,
            "reconcile" => self.run_reconcile(payload).await,
            "rebuild" => self.run_rebuild(payload).await,
            _ => return None,
        })
    }

    async fn run_compact(&self, payload: Value) -> anyhow::Result<Value> {
        let request: CompactRequest = serde_json::from_value(payload)?;
        let _one = self.compaction.lock().await;
        Ok(serde_json::to_value(self.compact.run(request).await?)?)
    }

    async fn run_settle(&self) -> anyhow::Result<Value> {
        let _one = self.compaction.lock().await;
        Ok(serde_json::to_value(self.settle.run().await?)?)
    }

    async fn run_unspill(&self) -> anyhow::Result<Value> {
        Ok(serde_json::to_value(self.unspill.run().await?)?)
    }

    /// Returns what was spilled, then compares everything and mends. What cannot be returned waits, and is counted.
    pub async fn reconcile(&self, request: ReconcileRequest) -> anyhow::Result<ReconcileReport> {
        if !request.dry_run
            && let Err(error) = self.unspill.run().await
        {
            tracing::warn!(%error, "spilled events wait");
        }
        Ok(self.reconcile.run(request).await?)
    }

    async fn run_reconcile(&self, payload: Value) -> anyhow::Result<Value> {
        Ok(serde_json::to_value(self.reconcile(serde_json::from_value(payload)?).await?)?)
    }

    async fn run_rebuild(&self, payload: Value) -> anyhow::Result<Value> {
        let request: RebuildRequest = serde_json::from_value(payload)?;
        let _one = self.compaction.lock().await;
        Ok(serde_json::to_value(self.reconcile.rebuild(request).await?)?)
    }

    async fn run_replay(&self, payload: Value) -> anyhow::Result<Value> {
        Ok(serde_json::to_value(self.replay.run(serde_json::from_value(payload)?).await?)?)
    }
}

/// What the ledger is computed from.
fn reconcile(parts: &Parts, log_id: String, config: &Config) -> Reconcile {
    let (log, objects, lake) = (Arc::clone(&parts.log), Arc::clone(&parts.objects), Arc::clone(&parts.lake));
    let sources = Sources::new(log, objects, lake, parts.warehouse.clone(), Arc::clone(&parts.store), log_id);
    let groups = Groups { store: polled::STORE, land: polled::LAND, intake_topic: polled::INTAKE_TOPIC };
    let retention = Duration::from_hours(24 * u64::from(config.log_days));
    Reconcile::new(sources, Settings { groups, retention, ..Settings::default() })
}
