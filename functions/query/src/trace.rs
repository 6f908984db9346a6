//! Where an event is.

use std::time::Duration;

use clickstream_event::Micros;
use clickstream_log::{EVENTS, REJECTED};
use clickstream_store::Found;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Answer, QueryContext, QueryError, answer};

/// Looks for an id that the store does not know yet, and the pause between two.
const LOOKS: u32 = 8;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The steps in order; null where the event has not come yet.
#[derive(Debug, Serialize)]
struct Trace {
    event_id: Uuid,
    site_id: Option<String>,
    verdict: &'static str,
    received_at: Micros,
    reasons: Value,
    log: Value,
    store: Value,
    raw: Value,
    lake: Value,
    warehouse: Value,
}

/// `GET /v1/events/{id}/trace`
pub async fn trace(context: &QueryContext, id: &str, site: Option<&str>) -> Result<Answer, QueryError> {
    let right = || QueryError::Parameter { name: "event_id", right: format!("{:?} is no UUID", id.chars().take(60).collect::<String>()) };
    let event_id: Uuid = id.parse().map_err(|_| right())?;
    match find(context, site, event_id).await? {
        None => Err(QueryError::UnknownEvent(event_id.to_string())),
        Some(Found::Rejected(rejected)) => answer::json(&Trace {
            event_id,
            site_id: rejected.rejection.site_id,
            verdict: "rejected",
            received_at: rejected.rejection.received_at,
            reasons: json!(rejected.rejection.reasons),
            log: json!({ "topic": REJECTED, "partition": rejected.log_partition, "offset": rejected.log_offset }),
            store: json!({ "stored": true }),
            raw: Value::Null,
            lake: Value::Null,
            warehouse: Value::Null,
        }),
        Some(Found::Event(logged)) => {
            let (partition, offset) = (logged.log_partition, logged.log_offset);
            let event = logged.event;
            let raw = raw_key(context, partition, offset).await?;
            let settled = context.warehouse.settled_version_of(&context.log_id, partition, offset).await?;
            let lake = match settled {
                Some(version) => Some(version),
                None => in_lake(context, partition, offset).await?,
            };
            let found = context.warehouse.find(Some(&event.site_id), event_id).await?;
            answer::json(&Trace {
                event_id,
                site_id: Some(event.site_id),
                verdict: event.verdict.as_str(),
                received_at: event.received_at,
                reasons: json!(event.warnings),
                log: json!({ "topic": EVENTS, "partition": partition, "offset": offset }),
                store: json!({ "stored": true }),
                raw: raw.map_or(Value::Null, |key| json!({ "key": key })),
                lake: lake.map_or(Value::Null, |version| json!({ "version": version })),
                warehouse: found.map_or(Value::Null, |f| json!({ "visible": f.visible, "settled": f.settled })),
            })
        }
    }
}

/// Looks an id up. An event reaches the store a moment after its sender was answered: one that is not there is
/// looked for again for a while, so that whoever got an answer also gets a trace.
async fn find(context: &QueryContext, site: Option<&str>, event_id: Uuid) -> Result<Option<Found>, QueryError> {
    for _ in 0..LOOKS {
        if let Some(found) = context.store.find(site, event_id).await? {
            return Ok(Some(found));
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok(context.store.find(site, event_id).await?)
}

/// The raw object that holds the offset: keys begin with the last offset, so it is the first at or past it.
async fn raw_key(context: &QueryContext, partition: u32, offset: u64) -> Result<Option<String>, QueryError> {
    let prefix = format!("raw/events/{}/{partition:05}/", context.log_id);
    let listed = context.objects.list(&prefix, Some(&format!("{prefix}{offset:020}")), 3).await?;
    let holds = |key: &str| {
        let (_, first) = key.strip_prefix(&prefix)?.strip_suffix(".parquet")?.split_once('-')?;
        first.parse::<u64>().ok().filter(|first| *first <= offset)
    };
    Ok(listed.into_iter().map(|o| o.key).find(|key| holds(key).is_some()))
}

/// The lake's version, if it has come past the offset and ClickHouse has not yet.
async fn in_lake(context: &QueryContext, partition: u32, offset: u64) -> Result<Option<u64>, QueryError> {
    let snapshot = context.lake.snapshot().await?;
    let place = clickstream_lake::place(&context.log_id, partition);
    Ok(snapshot.watermarks.get(&place).filter(|next| **next > offset).map(|_| snapshot.version))
}
