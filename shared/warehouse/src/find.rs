//! Where one event stands.

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Warehouse, WarehouseError};

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
struct Found {
    lake_version: u64,
}

impl Warehouse {
    /// Looks an event up, on one site or on any; none if ClickHouse has not seen it.
    pub async fn find(&self, site: Option<&str>, event_id: Uuid) -> Result<Option<InWarehouse>, WarehouseError> {
        let at = if site.is_some() { "site_id = {site:String} AND " } else { "" };
        let ask = |sql: String| self.query(&sql).param("id", event_id.to_string()).param("site", site.unwrap_or_default());
        let settled: Option<Found> =
            ask(format!("SELECT lake_version FROM settled WHERE {at}event_id = {{id:UUID}} ORDER BY lake_version LIMIT 1"))
                .fetch_optional()
                .await?;
        if let Some(Found { lake_version }) = settled {
            return Ok(Some(InWarehouse { visible: true, settled: true, lake_version: Some(lake_version) }));
        }
        let in_fresh: u64 = ask(format!("SELECT count() FROM fresh WHERE {at}event_id = {{id:UUID}}")).fetch_one().await?;
        if in_fresh == 0 {
            return Ok(None);
        }
        let visible: u64 = ask(format!("SELECT count() FROM clicks WHERE {at}event_id = {{id:UUID}}")).fetch_one().await?;
        Ok(Some(InWarehouse { visible: visible > 0, settled: false, lake_version: None }))
    }
}
