//! The log's end against what is settled of it: what `up` refuses at its start.

use std::collections::BTreeMap;

use clickstream_lake::Lake;
use clickstream_log::{EVENTS, Log as _, kafka::KafkaLog};
use clickstream_warehouse::Warehouse;

use super::{Finding, log::PART};
use crate::{servers::Servers, up::intact};

const CHECK: &str = "end against what is settled";

/// Compares a log on Kafka with the lake and ClickHouse, as far as they are on servers.
pub async fn examine(servers: &Servers, findings: &mut Vec<Finding>) {
    let Some(url) = &servers.log else { return };
    if servers.objects.is_none() && servers.warehouse.is_none() {
        return findings.push(Finding::ok(PART, CHECK, "compared when the service starts: what is settled is embedded"));
    }
    findings.push(match compare(url, servers).await {
        Ok(lost) if lost.is_empty() => Finding::ok(PART, CHECK, "nothing that is settled is missing in the log"),
        Ok(lost) => Finding::broken(PART, CHECK, intact::sentence(&lost), intact::ON_KAFKA),
        Err(error) => Finding::warning(PART, CHECK, format!("it cannot be told: {error:#}"), "mend what else is broken, and look again"),
    });
}

async fn compare(url: &str, servers: &Servers) -> anyhow::Result<Vec<intact::Lost>> {
    // What is settled is asked first: the log's end only grows.
    let settled = [in_the_lake(servers).await?, in_clickhouse(servers).await?];
    let log = KafkaLog::open(url)?;
    let compared = async { Ok(intact::lost(&log.log_id().await?, &log.extents(EVENTS).await?, &settled)) };
    let compared = compared.await;
    log.close().await;
    compared
}

async fn in_the_lake(servers: &Servers) -> anyhow::Result<BTreeMap<String, u64>> {
    let Some(bucket) = &servers.objects else { return Ok(BTreeMap::new()) };
    match Lake::find(bucket).await? {
        Some(lake) => Ok(lake.newest_watermarks().await?),
        None => Ok(BTreeMap::new()),
    }
}

async fn in_clickhouse(servers: &Servers) -> anyhow::Result<BTreeMap<String, u64>> {
    let Some(url) = &servers.warehouse else { return Ok(BTreeMap::new()) };
    let commit = Warehouse::from_url(url)?.newest_commit().await?;
    Ok(commit.map(|commit| commit.watermarks).unwrap_or_default())
}
