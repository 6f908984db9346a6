//! A version by which days expired: their events leave ClickHouse with it, and their marts stay.

use clickstream_warehouse::Day;

use crate::{Settle, SettleError};

impl Settle {
    /// Takes the events of days before `before` out, of versions before `version`: what came later stands in the lake.
    pub(crate) async fn expire(&self, before: Day, version: u64) -> Result<(), SettleError> {
        self.warehouse.expire_settled(before, version).await?;
        tracing::info!(version, %before, "events of days that expired are gone");
        Ok(())
    }
}
