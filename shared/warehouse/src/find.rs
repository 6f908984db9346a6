//! Where one event stands.

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Warehouse, WarehouseError, fresh::OFFSETS};

/// What ClickHouse knows of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InWarehouse {
    /// Reports show it.
    pub visible: bool,
    /// It is in the settled tables.
    pub settled: bool,
    /// The lake version by which it was settled.
    pub lake_version: Option<u64>,
}

#[derive(Row, Deserialize)]
struct Settled {
    lake_version: u64,
}

#[derive(Row, Deserialize)]
struct Fresh {
    copies: u64,
    shown: u64,
}

/// Looks by primary key and by the index of ids: what the view `clicks` would say, without computing it.
const SETTLED: &str = "SELECT lake_version FROM settled WHERE $site event_id = {id:UUID} ORDER BY lake_version LIMIT 1";
/// A copy at or past the newest watermark is shown. Partitions wholly below it are not opened: what lies there is settled.
const FRESH: &str = "WITH (SELECT argMax(watermarks, version) FROM commits) AS newest
    SELECT count() AS copies, countIf(log_offset >= newest[place]) AS shown FROM fresh FINAL
    WHERE (_partition_value.3 + 1) * $offsets > newest[concat(_partition_value.1, '/', toString(_partition_value.2))]
      AND $site event_id = {id:UUID}";

impl Warehouse {
    /// Looks an event up, on one site or on any; none if ClickHouse has not seen it.
    pub async fn find(&self, site: Option<&str>, event_id: Uuid) -> Result<Option<InWarehouse>, WarehouseError> {
        let ask = |sql: &str| {
            let sql = sql
                .replace("$offsets", &OFFSETS.to_string())
                .replace("$site", if site.is_some() { "site_id = {site:String} AND" } else { "" });
            self.query(&sql).param("id", event_id.to_string()).param("site", site.unwrap_or_default())
        };
        let settled = async || -> Result<Option<InWarehouse>, WarehouseError> {
            let row: Option<Settled> = ask(SETTLED).fetch_optional().await?;
            Ok(row.map(|Settled { lake_version }| InWarehouse { visible: true, settled: true, lake_version: Some(lake_version) }))
        };
        if let Some(found) = settled().await? {
            return Ok(Some(found));
        }
        let fresh: Fresh = ask(FRESH).fetch_one().await?;
        match (fresh.copies, fresh.shown) {
            (0, _) => Ok(None),
            // Below the watermark: settled between the two looks.
            (_, 0) => Ok(Some(settled().await?.unwrap_or(InWarehouse { visible: false, settled: false, lake_version: None }))),
            _ => Ok(Some(InWarehouse { visible: true, settled: false, lake_version: None })),
        }
    }
}
