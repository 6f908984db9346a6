//! `events`: rows of the lake's versions, by loads.

use std::collections::BTreeMap;

use bytes::Bytes;
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Day, Warehouse, WarehouseError};

/// The columns that a lake file holds, in the order of the table.
pub(crate) const COLUMNS: &str = "event_id, site_id, action, name, original_at, occurred_at, sent_at, received_at, session_id, anonymous_id, user_id, url, path, \
    referrer, page_title, utm_source, utm_medium, utm_campaign, utm_term, utm_content, element_id, element_kind, element_text, element_class, x, y, \
    position, visible_ms, viewport_width, viewport_height, scroll_position, device_type, os, browser, country, bot, bot_reasons, ip, user_agent, \
    locale, library, source, verdict, warnings, properties, log_id, log_partition, log_offset";

/// Loads that a `commits` row names and that count: of several for one version the smallest.
const COUNTED_LOADS: &str = "SELECT min(load_id) FROM commits WHERE rows > 0 GROUP BY version";

/// Events erased by one statement.
const IDS_AT_ONCE: usize = 1_000;

#[derive(Row, Serialize)]
struct Begun {
    #[serde(with = "clickhouse::serde::uuid")]
    load_id: Uuid,
    version: u64,
}

#[derive(Row, Deserialize)]
struct Load {
    #[serde(with = "clickhouse::serde::uuid")]
    load_id: Uuid,
}

impl Warehouse {
    /// Puts one lake file's rows into `events` under `load_id`, invisible until [`Warehouse::commit`] names it.
    ///
    /// Months of any number may be in one file. `token` (table, version, file) only saves work where a request is
    /// repeated: correctness hangs on the load's count of rows.
    pub async fn insert_settled(&self, parquet: Bytes, load_id: Uuid, version: u64, token: &str) -> Result<(), WarehouseError> {
        self.begin_load(load_id, version).await?;
        let settings = [
            ("log_comment", format!("{load_id}/{version}")),
            ("insert_deduplication_token", format!("{load_id}/{token}")),
            ("max_partitions_per_insert_block", "0".to_owned()),
        ];
        self.insert_parquet(format!("INSERT INTO events ({COLUMNS}) FORMAT Parquet"), &settings, parquet).await
    }

    /// A load is known before its rows are, so that what is never committed can be found.
    pub(crate) async fn begin_load(&self, load_id: Uuid, version: u64) -> Result<(), WarehouseError> {
        let mut begun = self.client().insert::<Begun>("loads").await?;
        begun.write(&Begun { load_id, version }).await?;
        Ok(begun.end().await?)
    }

    /// Deletes the rows of a load that came too late to count: what was erased meanwhile may be among them.
    pub(crate) async fn drop_late_load(&self, load_id: Uuid) -> Result<(), WarehouseError> {
        let named: u64 =
            self.query("SELECT count() FROM commits WHERE load_id = {load:UUID}").param("load", load_id.to_string()).fetch_one().await?;
        if named > 0 || self.rows_of_load(load_id).await? == 0 {
            return Ok(());
        }
        self.delete(&format!("ALTER TABLE events DELETE WHERE load_id = '{load_id}'")).await
    }

    /// Rows that stand in `events` for a load.
    pub async fn rows_of_load(&self, load_id: Uuid) -> Result<u64, WarehouseError> {
        Ok(self.query("SELECT count() FROM events WHERE load_id = {load:UUID}").param("load", load_id.to_string()).fetch_one().await?)
    }

    /// The days (UTC, by `occurred_at`) on which a load has events, in order.
    pub async fn days_of_load(&self, load_id: Uuid) -> Result<Vec<Day>, WarehouseError> {
        let days: Vec<String> = self
            .query("SELECT DISTINCT toString(toDate(occurred_at)) AS day FROM events WHERE load_id = {load:UUID} ORDER BY day")
            .param("load", load_id.to_string())
            .fetch_all()
            .await?;
        days_of(&days)
    }

    /// Deletes the rows of loads that were begun at least `older_than_hours` ago and never came to count; says how
    /// many loads. Readers never saw them.
    pub async fn abandon_loads(&self, older_than_hours: u32) -> Result<u64, WarehouseError> {
        let abandoned = self.abandoned(older_than_hours).await?;
        if !abandoned.is_empty() {
            let list = abandoned.iter().map(|l| format!("'{}'", l.load_id)).collect::<Vec<_>>().join(", ");
            self.delete(&format!("ALTER TABLE events DELETE WHERE load_id IN ({list})")).await?;
            self.delete(&format!("ALTER TABLE loads DELETE WHERE load_id IN ({list})")).await?;
            tracing::info!(loads = abandoned.len(), "deleted the rows of loads that were never committed");
        }
        Ok(abandoned.len() as u64)
    }

    /// How many loads [`Warehouse::abandon_loads`] would delete.
    pub async fn abandoned_loads(&self, older_than_hours: u32) -> Result<u64, WarehouseError> {
        Ok(self.abandoned(older_than_hours).await?.len() as u64)
    }

    async fn abandoned(&self, older_than_hours: u32) -> Result<Vec<Load>, WarehouseError> {
        let sql = format!(
            "SELECT load_id FROM loads GROUP BY load_id
             HAVING max(started_at) <= now64(6) - toIntervalHour({{hours:UInt32}}) AND load_id NOT IN ({COUNTED_LOADS}) ORDER BY load_id"
        );
        Ok(self.query(&sql).param("hours", older_than_hours).fetch_all().await?)
    }

    /// Removes these events, by site and id, from everything that reports read; they are gone when it returns.
    pub async fn erase(&self, events: &[(String, Uuid)]) -> Result<(), WarehouseError> {
        let mut by_site: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (site, id) in events {
            by_site.entry(site).or_default().push(format!("'{id}'"));
        }
        for (site, ids) in by_site {
            for some in ids.chunks(IDS_AT_ONCE) {
                for table in ["events", "fresh"] {
                    let sql = format!("ALTER TABLE {table} DELETE WHERE site_id = {{site:String}} AND event_id IN ({})", some.join(", "));
                    self.query(&sql).param("site", site).with_setting("mutations_sync", "1").execute().await?;
                }
            }
        }
        Ok(())
    }

    pub(crate) async fn delete(&self, sql: &str) -> Result<(), WarehouseError> {
        Ok(self.query(sql).with_setting("mutations_sync", "1").execute().await?)
    }
}

/// Days as ClickHouse writes them.
pub(crate) fn days_of(texts: &[String]) -> Result<Vec<Day>, WarehouseError> {
    let day = |day: &String| day.parse().map_err(|e| WarehouseError::Operator(format!("ClickHouse gave {day:?} for a day: {e}")));
    texts.iter().map(day).collect()
}
