//! How far every step has come.

use clickstream_event::Micros;
use clickstream_log::{EVENTS, Extent, INBOUND, REJECTED};
use clickstream_sites::LiveSites;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Parts, polled};

/// Columns of a step, in the order in which they are shown.
pub const STEP_COLUMNS: [&str; 5] = ["step", "reads", "lag", "unit", "oldest_s"];

/// How far one step is behind.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// The function.
    pub step: String,
    /// What it reads.
    pub reads: String,
    /// How much waits.
    pub lag: u64,
    /// Of what.
    pub unit: String,
    /// Age of the oldest that waits, seconds.
    pub oldest_s: Option<f64>,
}

/// The sites, and whether they are what is written down.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SitesStatus {
    /// `SITES`, the path of the sites file, or `object:KEY`.
    pub source: String,
    /// How many there are.
    pub count: u64,
    /// When they were read from the file; none where they are fixed.
    pub read_at: Option<Micros>,
    /// Why the file as it is now is not used: the sites stay as they were read last.
    pub error: Option<String>,
}

impl SitesStatus {
    /// How the sites stand.
    pub fn of(sites: &LiveSites) -> Self {
        let state = sites.state();
        Self {
            source: sites.place().map_or_else(|| "SITES".to_owned(), ToString::to_string),
            count: sites.sites().iter().count() as u64,
            read_at: state.read_at,
            error: state.error,
        }
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        let read = self.read_at.map_or_else(String::new, |at| format!(", read {at}"));
        match &self.error {
            None => format!("{} sites of {}{read}", self.count, self.source),
            Some(error) => format!("SITES ARE NOT WHAT IS WRITTEN: {error}; {} sites hold{read}", self.count),
        }
    }
}

/// The whole service.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The log's identity.
    pub log_id: String,
    /// Events and rejections logged since the log began.
    pub logged: u64,
    /// Events held by the event store; where it cannot count them, events of the log that it was given.
    pub stored: u64,
    /// Newest version of the lake.
    pub lake_version: u64,
    /// Newest version that reports show.
    pub settled_version: Option<u64>,
    /// Bytes free on the data folder's disk.
    pub disk_free: Option<u64>,
    /// The sites.
    pub sites: SitesStatus,
    /// The newest object that `clickstream doctor` wrote and the bucket's server announced here.
    pub probe: Option<String>,
    /// The steps in the order of the pipeline.
    pub steps: Vec<Step>,
}

impl Status {
    /// One line for people.
    pub fn summary(&self) -> String {
        let settled = self.settled_version.map_or_else(|| "none".to_owned(), |v| v.to_string());
        let free = self.disk_free.map_or_else(String::new, |b| format!(", {} GiB free on disk", b >> 30));
        format!(
            "{} records logged, {} events stored, lake version {}, settled version {settled}{free}",
            self.logged, self.stored, self.lake_version
        )
    }
}

/// Asks every part how far it is.
pub async fn status(parts: &Parts, sites: &LiveSites) -> anyhow::Result<Status> {
    let events = parts.log.extents(EVENTS).await?;
    let rejected = parts.log.extents(REJECTED).await?;
    let mut steps = vec![
        spill_step(parts).await?,
        group_step(parts, polled::INTAKE_TOPIC, INBOUND).await?,
        pending_step(parts, "intake-files", "inbox/").await?,
        group_step(parts, polled::STORE, EVENTS).await?,
        group_step(parts, polled::STORE, REJECTED).await?,
        group_step(parts, polled::LAND, EVENTS).await?,
        pending_step(parts, "load", "raw/").await?,
    ];
    let lake = parts.lake.snapshot().await?;
    let settled = parts.warehouse.newest_commit().await?;
    let log_id = parts.log.log_id().await?;
    let at = |extent: &Extent, watermarks: &std::collections::BTreeMap<String, u64>| {
        watermarks.get(&format!("{log_id}/{}", extent.partition)).copied().unwrap_or(extent.start)
    };
    let none = std::collections::BTreeMap::new();
    let shown = settled.as_ref().map_or(&none, |c| &c.watermarks);
    let uncompacted = events.iter().map(|e| e.end.saturating_sub(at(e, &lake.watermarks))).sum();
    let unsettled = events.iter().map(|e| at(e, &lake.watermarks).saturating_sub(at(e, shown))).sum();
    steps.push(Step { step: "compact".into(), reads: "raw/".into(), lag: uncompacted, unit: "events".into(), oldest_s: None });
    steps.push(Step { step: "settle".into(), reads: "lake".into(), lag: unsettled, unit: "events".into(), oldest_s: None });
    Ok(Status {
        log_id,
        logged: events.iter().chain(&rejected).map(|e| e.end).sum(),
        stored: stored(parts, &events).await?,
        lake_version: lake.version,
        settled_version: settled.map(|c| c.version),
        disk_free: parts.disk_free(),
        sites: SitesStatus::of(sites),
        probe: parts.probe.newest(),
        steps,
    })
}

/// See [`Status::stored`].
async fn stored(parts: &Parts, events: &[Extent]) -> anyhow::Result<u64> {
    if let Some(held) = parts.store.count().await? {
        return Ok(held);
    }
    let committed = parts.log.committed(polled::STORE, EVENTS).await?;
    let next = |extent: &Extent| committed.iter().find(|(p, _)| *p == extent.partition).and_then(|(_, next)| *next);
    Ok(events.iter().filter_map(next).sum())
}

/// Records of `topic` that `group` has not done.
async fn group_step(parts: &Parts, group: &str, topic: &str) -> anyhow::Result<Step> {
    let committed = parts.log.committed(group, topic).await?;
    let mut lag = 0;
    let mut oldest = None::<i64>;
    for extent in parts.log.extents(topic).await? {
        let next = committed.iter().find(|(p, _)| *p == extent.partition).and_then(|(_, n)| *n).unwrap_or(extent.start).max(extent.start);
        lag += extent.end.saturating_sub(next);
        if next < extent.end
            && let Some(record) = parts.log.read(topic, extent.partition, next, 1, 1).await?.first()
        {
            oldest = Some(oldest.map_or(record.appended_at, |o| o.min(record.appended_at)));
        }
    }
    let oldest_s = oldest.map(|o| (Micros::now().0 - o).max(0) as f64 / 1e6);
    Ok(Step { step: group.to_owned(), reads: topic.to_owned(), lag, unit: "events".to_owned(), oldest_s })
}

/// Most spill objects that are counted; where there are more, so many are shown.
const MOST_COUNTED: usize = 10_000;

/// Objects that stand in the bucket because the log took nothing, and are not back in it.
async fn spill_step(parts: &Parts) -> anyhow::Result<Step> {
    let waiting = parts.objects.list(clickstream_spill::PREFIX, None, MOST_COUNTED).await?;
    let oldest_s = waiting.first().map(|object| (Micros::now().0 - object.modified_at).max(0) as f64 / 1e6);
    let (reads, unit) = (clickstream_spill::PREFIX.to_owned(), "objects".to_owned());
    Ok(Step { step: "unspill".to_owned(), reads, lag: waiting.len() as u64, unit, oldest_s })
}

/// Objects that were announced and not yet taken.
async fn pending_step(parts: &Parts, step: &str, prefix: &str) -> anyhow::Result<Step> {
    let lag = parts.notifications.pending(prefix).await?;
    Ok(Step { step: step.to_owned(), reads: prefix.to_owned(), lag, unit: "objects".to_owned(), oldest_s: None })
}
