//! What ClickHouse knows for the ledger, and where the ledger is kept.

use std::collections::BTreeMap;

use clickhouse::Row;
use clickstream_event::Micros;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Warehouse, WarehouseError};

/// Ids asked for by one statement.
const IDS_AT_ONCE: usize = 5_000;

/// What each step had of one partition of the log at one moment. Counts begin with the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Row, Serialize, Deserialize, ToSchema)]
pub struct LedgerRow {
    /// When it was computed, µs since 1970 in the table.
    #[schema(value_type = i64)]
    pub at: i64,
    /// `events` or `rejected`.
    pub topic: String,
    /// The log's identity.
    pub log_id: String,
    /// The partition.
    pub log_partition: u32,
    /// Records that the log took: its next offset.
    pub logged: u64,
    /// The offset up to which the event store was given them.
    pub stored: u64,
    /// The offset up to which raw objects hold every record, or the lake did.
    pub landed: u64,
    /// Events that ClickHouse shows: settled ones, and those of `fresh` that are not settled yet.
    pub loaded: u64,
    /// Events that are settled.
    pub settled: u64,
    /// Repeats that compaction left out.
    pub duplicates: u64,
    /// Events that were erased, before they came to the lake or after.
    pub erased: u64,
    /// Records that are no event.
    pub dead_letters: u64,
    /// Records that are lost: their gap was accepted.
    pub missing: u64,
    /// Events that left the lake because their day was too old.
    #[serde(default)]
    pub expired: u64,
    /// Records that are not settled yet.
    pub pending: u64,
    /// Rejections, of topic `rejected`.
    pub rejected: u64,
    /// What is left of `logged`: 0, or something is wrong.
    pub unaccounted: i64,
}

/// Steps of an hour.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize, ToSchema)]
pub struct LedgerHour {
    /// The hour, UTC: `2026-11-24 10:00:00`.
    pub hour: String,
    /// Records logged within the hour.
    pub logged: u64,
    /// Records that the event store was given.
    pub stored: u64,
    /// Records landed.
    pub landed: u64,
    /// Events that came into ClickHouse.
    pub loaded: i64,
    /// Events settled.
    pub settled: i64,
    /// Rejections logged.
    pub rejected: u64,
    /// Repeats left out.
    pub duplicates: u64,
    /// Events erased.
    pub erased: u64,
    /// Records that are no event.
    pub dead_letters: u64,
    /// Settled events that were received within the hour.
    pub received: u64,
}

/// What was repaired.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize, ToSchema)]
pub struct Repaired {
    /// When, UTC.
    pub at: String,
    /// Which kind of repair.
    pub kind: String,
    /// Of what.
    pub what: String,
    /// How many.
    pub count: u64,
}

#[derive(Row, Serialize)]
struct NewRepair<'a> {
    kind: &'a str,
    what: &'a str,
    count: u64,
}

#[derive(Row, Deserialize)]
struct OfPlace {
    place: String,
    rows: u64,
}

#[derive(Row, Deserialize)]
struct Present {
    site: String,
    id: String,
}

const OF_PLACE: &str = "concat(log_id, '/', toString(log_partition))";

impl Warehouse {
    /// Settled events by `{log_id}/{partition}`.
    pub async fn settled_by_place(&self) -> Result<BTreeMap<String, u64>, WarehouseError> {
        let sql = format!("SELECT {OF_PLACE} AS place, count() AS rows FROM settled GROUP BY log_id, log_partition");
        self.by_place(&sql).await
    }

    /// Events that reports show, by `{log_id}/{partition}`.
    pub async fn shown_by_place(&self) -> Result<BTreeMap<String, u64>, WarehouseError> {
        let sql = format!("SELECT {OF_PLACE} AS place, count() AS rows FROM clicks GROUP BY log_id, log_partition");
        self.by_place(&sql).await
    }

    async fn by_place(&self, sql: &str) -> Result<BTreeMap<String, u64>, WarehouseError> {
        let rows: Vec<OfPlace> = self.large_query(sql).fetch_all().await?;
        Ok(rows.into_iter().map(|row| (row.place, row.rows)).collect())
    }

    /// How many different offsets of `[from, to)` of a partition `fresh` holds.
    pub async fn fresh_offsets(&self, log_id: &str, partition: u32, from: u64, to: u64) -> Result<u64, WarehouseError> {
        let sql = "SELECT uniqExact(log_offset) FROM fresh
                   WHERE log_id = {log:String} AND log_partition = {partition:UInt32} AND log_offset >= {from:UInt64} AND log_offset < {to:UInt64}";
        let query = self.query(sql).param("log", log_id).param("partition", partition).param("from", from).param("to", to);
        Ok(query.fetch_one().await?)
    }

    /// Those of these events, by site and id, that neither `fresh` nor `events` holds.
    pub async fn not_loaded(&self, events: &[(String, Uuid)]) -> Result<Vec<(String, Uuid)>, WarehouseError> {
        let mut lacking = Vec::new();
        for some in events.chunks(IDS_AT_ONCE) {
            let ids = some.iter().map(|(_, id)| format!("'{id}'")).collect::<Vec<_>>().join(", ");
            let sql = format!(
                "SELECT toString(site_id) AS site, toString(event_id) AS id FROM fresh WHERE event_id IN ({ids})
                 UNION DISTINCT SELECT toString(site_id) AS site, toString(event_id) AS id FROM settled WHERE event_id IN ({ids})"
            );
            let present: Vec<Present> = self.large_query(&sql).with_setting("max_query_size", "1048576").fetch_all().await?;
            let present: std::collections::HashSet<(String, String)> = present.into_iter().map(|p| (p.site, p.id)).collect();
            lacking.extend(some.iter().filter(|(site, id)| !present.contains(&(site.clone(), id.to_string()))).cloned());
        }
        Ok(lacking)
    }

    /// Keeps what was computed.
    pub async fn write_ledger(&self, rows: &[LedgerRow]) -> Result<(), WarehouseError> {
        let mut insert = self.client().insert::<LedgerRow>("ledger").await?;
        for row in rows {
            insert.write(row).await?;
        }
        Ok(insert.end().await?)
    }

    /// The last hours: how far each step came within the hour, by what the ledger said at its end, all partitions
    /// together; and how many settled events were received within it.
    pub async fn ledger_hours(&self, hours: u32) -> Result<Vec<LedgerHour>, WarehouseError> {
        Ok(self.large_query(HOURS).param("hours", hours).fetch_all().await?)
    }

    /// Keeps a repair, for ever.
    pub async fn note_repair(&self, kind: &str, what: &str, count: u64) -> Result<(), WarehouseError> {
        let mut insert = self.client().insert::<NewRepair<'_>>("repairs").await?;
        insert.write(&NewRepair { kind, what, count }).await?;
        Ok(insert.end().await?)
    }

    /// The newest repairs, newest first.
    pub async fn repairs(&self, most: u32) -> Result<Vec<Repaired>, WarehouseError> {
        let sql =
            "SELECT toString(at) AS at, toString(kind) AS kind, what, count FROM repairs ORDER BY repairs.at DESC LIMIT {most:UInt32}";
        Ok(self.query(sql).param("most", most).fetch_all().await?)
    }
}

impl LedgerRow {
    /// When it was computed.
    pub fn moment(&self) -> Micros {
        Micros(self.at)
    }
}

/// The last row of each hour and partition, less that of the hour before it.
const HOURS: &str = "WITH
    toStartOfHour(now('UTC')) - toIntervalHour({hours:UInt32} - 1) AS first,
    last_rows AS
    (
        SELECT toStartOfHour(toDateTime(at, 'UTC')) AS hour, topic, log_id, log_partition,
            argMax(tuple(logged, stored, landed, loaded, settled, rejected, duplicates, erased, dead_letters), at) AS steps
        FROM ledger WHERE at >= first - toIntervalDay(2) GROUP BY hour, topic, log_id, log_partition
    ),
    progress AS
    (
        SELECT hour, topic, steps,
            lagInFrame(steps) OVER (PARTITION BY topic, log_id, log_partition ORDER BY hour
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
        FROM last_rows
    ),
    received AS
    (
        SELECT toStartOfHour(toDateTime(received_at, 'UTC')) AS hour, count() AS rows FROM settled WHERE received_at >= first GROUP BY hour
    )
SELECT
    toString(p.hour) AS hour,
    sum(if(topic = 'events', toUInt64(greatest(0, toInt64(steps.1) - toInt64(before.1))), 0)) AS logged,
    sum(if(topic = 'events', toUInt64(greatest(0, toInt64(steps.2) - toInt64(before.2))), 0)) AS stored,
    sum(toUInt64(greatest(0, toInt64(steps.3) - toInt64(before.3)))) AS landed,
    sum(toInt64(steps.4) - toInt64(before.4)) AS loaded,
    sum(toInt64(steps.5) - toInt64(before.5)) AS settled,
    sum(toUInt64(greatest(0, toInt64(steps.6) - toInt64(before.6)))) AS rejected,
    sum(toUInt64(greatest(0, toInt64(steps.7) - toInt64(before.7)))) AS duplicates,
    sum(toUInt64(greatest(0, toInt64(steps.8) - toInt64(before.8)))) AS erased,
    sum(toUInt64(greatest(0, toInt64(steps.9) - toInt64(before.9)))) AS dead_letters,
    any(r.rows) AS received
FROM progress AS p LEFT JOIN received AS r ON r.hour = p.hour
WHERE p.hour >= first
GROUP BY p.hour ORDER BY p.hour";
