//! Loads of ClickHouse that were begun and never came to count: what a settler left that died.

use crate::{Applied, Retention, RetentionError};

/// Hours after which one is taken for dead; a function runs for 15 minutes at most.
const HOURS: u32 = 24;

impl Retention {
    pub(crate) async fn loads(&self, dry_run: bool) -> Result<Vec<Applied>, RetentionError> {
        let mut applied = Applied::new("abandoned loads", format!("{HOURS} hours"), "loads");
        let warehouse = &self.stores.warehouse;
        applied.add(if dry_run { warehouse.abandoned_loads(HOURS).await? } else { warehouse.abandon_loads(HOURS).await? });
        Ok(vec![applied])
    }
}
