//! Where an event is.

use std::time::Duration;

use clickstream_event::{Logged, Micros, Reason};
use clickstream_lake::ErasedRow;
use clickstream_log::{EVENTS, REJECTED};
use clickstream_objects::ObjectError;
use clickstream_store::{CopyAt, ErasedEvent, Found, LoggedRejection};
use clickstream_warehouse::InWarehouse;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Answer, QueryError, answer, sources::Sources};

/// Raw objects looked at. Of those that hold an offset's end the one with the offset is the first, unless batches that
/// were cut differently overlap.
const OBJECTS: usize = 100;

/// Where the lists of erased rows stand.
const ERASED: &str = "lake/events/_erased/";
/// Lists of erased rows read together.
const LISTS: usize = 100;

/// Longest wait for an event that is not known yet, seconds.
pub const LONGEST_WAIT: u64 = 20;
/// Pause between two looks for it.
const PAUSE: Duration = Duration::from_millis(200);

/// Where an event is: the steps in order; null where it has not come yet.
#[derive(Debug, Serialize, ToSchema)]
pub struct Trace {
    event_id: Uuid,
    site_id: Option<String>,
    /// valid, suspicious or rejected; erased, where the person was; null where only ClickHouse still has the event.
    verdict: Option<&'static str>,
    received_at: Option<Micros>,
    /// When its person was erased, of an erased event.
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_at: Option<Micros>,
    reasons: Option<Remarks>,
    log: Option<Place>,
    store: Option<InStore>,
    raw: Option<InRaw>,
    lake: Option<InLake>,
    warehouse: Option<Shown>,
}

/// What was remarked: codes of a kept event, reasons of a rejected one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum Remarks {
    Warnings(Vec<String>),
    Rejection(Vec<Reason>),
}

/// The place in the log.
#[derive(Debug, Serialize, ToSchema)]
struct Place {
    topic: &'static str,
    partition: u32,
    offset: u64,
}

/// In the event store.
#[derive(Debug, Serialize, ToSchema)]
struct InStore {
    stored: bool,
    /// Repeats that came through the log, of which this event is the one that is kept.
    repeats: Vec<CopyAt>,
}

/// The raw object that holds the event.
#[derive(Debug, Serialize, ToSchema)]
struct InRaw {
    key: String,
}

/// The lake version by which the event was compacted.
#[derive(Debug, Serialize, ToSchema)]
struct InLake {
    version: u64,
}

/// In ClickHouse.
#[derive(Debug, Serialize, ToSchema)]
struct Shown {
    /// Reports count it.
    visible: bool,
    /// It is in the settled tables, once and for good.
    settled: bool,
}

impl Trace {
    /// A trace that has not found the event anywhere.
    fn nowhere(event_id: Uuid, site_id: Option<String>) -> Self {
        let (verdict, received_at, erased_at, reasons, log, store) = (None, None, None, None, None, None);
        Self { event_id, site_id, verdict, received_at, erased_at, reasons, log, store, raw: None, lake: None, warehouse: None }
    }
}

/// `GET /v1/events/{id}/trace`. An event is acknowledged before it is stored: for that long, at most `wait`, it is waited for.
pub async fn trace(sources: &Sources, id: &str, site: Option<&str>, wait: Duration) -> Result<Answer, QueryError> {
    let short = || format!("{:?} is no UUID such as 0190a6e0-7b2c-7d11-8a3e-5f6c2b1d4e90", id.chars().take(60).collect::<String>());
    let event_id: Uuid = id.parse().map_err(|_| QueryError::Parameter { name: "event_id", right: short() })?;
    let until = Instant::now() + wait;
    loop {
        match look(sources, event_id, site).await {
            Err(QueryError::UnknownEvent(_)) if Instant::now() < until => tokio::time::sleep(PAUSE).await,
            answer => return answer,
        }
    }
}

async fn look(sources: &Sources, event_id: Uuid, site: Option<&str>) -> Result<Answer, QueryError> {
    let trace = match sources.store.find(site, event_id).await? {
        Some(Found::Rejected(rejected)) => of_rejection(event_id, *rejected),
        Some(Found::Event(logged)) => of_event(sources, *logged).await?,
        Some(Found::Erased(erased)) => of_erased(sources, erased).await?,
        // The store forgets before ClickHouse does.
        None => match sources.warehouse.find(site, event_id).await? {
            Some(found) => Trace {
                lake: found.lake_version.map(|version| InLake { version }),
                warehouse: Some(found.into()),
                ..Trace::nowhere(event_id, site.map(str::to_owned))
            },
            None => match erased(sources, site, event_id).await? {
                Some((site_id, at)) => Trace { verdict: Some("erased"), erased_at: Some(at), ..Trace::nowhere(event_id, Some(site_id)) },
                None => return Err(QueryError::UnknownEvent(event_id.to_string())),
            },
        },
    };
    answer::json(&trace)
}

/// An erased event as the event store notes it. Until the erasure has come to ClickHouse, reports may still count it.
async fn of_erased(sources: &Sources, erased: ErasedEvent) -> Result<Trace, QueryError> {
    let ErasedEvent { site_id, event_id, erased_at } = erased;
    let found = sources.warehouse.find(Some(&site_id), event_id).await?;
    Ok(Trace {
        verdict: Some("erased"),
        erased_at: Some(erased_at),
        warehouse: found.map(Shown::from),
        ..Trace::nowhere(event_id, Some(site_id))
    })
}

/// Site and moment at which an event was taken out of the lake: lists beside the table's files say so, and name nobody. They
/// know events that the event store had forgotten before the erasure.
async fn erased(sources: &Sources, site: Option<&str>, event_id: Uuid) -> Result<Option<(String, Micros)>, QueryError> {
    let mut after: Option<String> = None;
    loop {
        let page = sources.objects.list(ERASED, after.as_deref(), LISTS).await?;
        for list in &page {
            let (_, bytes) = match sources.objects.get(&list.key).await {
                Ok(found) => found,
                Err(ObjectError::NotFound(_)) => continue,
                Err(error) => return Err(error.into()),
            };
            let rows: Vec<ErasedRow> =
                serde_json::from_slice(&bytes).map_err(|e| QueryError::Broken(format!("{} is damaged: {e}", list.key)))?;
            let found = rows.into_iter().find(|row| row.event_id == event_id && site.is_none_or(|site| site == row.site_id));
            if let Some(row) = found {
                return Ok(Some((row.site_id, Micros(list.modified_at))));
            }
        }
        match page.last() {
            Some(last) if page.len() == LISTS => after = Some(last.key.clone()),
            _ => return Ok(None),
        }
    }
}

fn of_rejection(event_id: Uuid, rejected: LoggedRejection) -> Trace {
    let LoggedRejection { log_partition, log_offset, rejection } = rejected;
    Trace {
        verdict: Some("rejected"),
        received_at: Some(rejection.received_at),
        reasons: Some(Remarks::Rejection(rejection.reasons)),
        log: Some(Place { topic: REJECTED, partition: log_partition, offset: log_offset }),
        store: Some(InStore { stored: true, repeats: Vec::new() }),
        ..Trace::nowhere(event_id, rejection.site_id)
    }
}

async fn of_event(sources: &Sources, logged: Logged) -> Result<Trace, QueryError> {
    let Logged { log_partition: partition, log_offset: offset, event } = logged;
    let raw = raw_key(sources, partition, offset).await?;
    let copies = sources.store.copies(&event.site_id, event.event_id).await?;
    let repeats = copies.into_iter().filter(|at| (at.partition, at.offset) != (partition, offset)).collect();
    let found = sources.warehouse.find(Some(&event.site_id), event.event_id).await?;
    let settled = sources.warehouse.settled_version_of(&sources.log_id, partition, offset).await?;
    let lake = match settled {
        Some(version) => Some(version),
        None => sources.lake.version_past(&sources.log_id, partition, offset).await?,
    };
    Ok(Trace {
        verdict: Some(event.verdict.as_str()),
        received_at: Some(event.received_at),
        reasons: Some(Remarks::Warnings(event.warnings)),
        log: Some(Place { topic: EVENTS, partition, offset }),
        store: Some(InStore { stored: true, repeats }),
        raw: raw.map(|key| InRaw { key }),
        lake: lake.map(|version| InLake { version }),
        warehouse: found.map(Shown::from),
        ..Trace::nowhere(event.event_id, Some(event.site_id))
    })
}

impl From<InWarehouse> for Shown {
    fn from(found: InWarehouse) -> Self {
        Self { visible: found.visible, settled: found.settled }
    }
}

/// The raw object that holds the offset: keys begin with the last offset, so it is the first at or past it.
async fn raw_key(sources: &Sources, partition: u32, offset: u64) -> Result<Option<String>, QueryError> {
    let prefix = format!("raw/events/{}/{partition:05}/", sources.log_id);
    let listed = sources.objects.list(&prefix, Some(&format!("{prefix}{offset:020}")), OBJECTS).await?;
    let begins_before = |key: &str| {
        let (_, first) = key.strip_prefix(&prefix)?.strip_suffix(".parquet")?.split_once('-')?;
        Some(first.parse::<u64>().ok()? <= offset)
    };
    Ok(listed.into_iter().map(|object| object.key).find(|key| begins_before(key) == Some(true)))
}
