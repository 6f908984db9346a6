//! `fresh` in ClickHouse: rows go some time after they are settled, never by age.

use crate::{Applied, Retention, RetentionError};

/// Hours that they stay, so that a reader who began before the settling still finds them.
const HOURS: u32 = 2;

impl Retention {
    pub(crate) async fn fresh(&self, dry_run: bool) -> Result<Vec<Applied>, RetentionError> {
        let mut applied = Applied::new("fresh rows", format!("{HOURS} hours once settled"), "partitions");
        let warehouse = &self.stores.warehouse;
        applied.add(if dry_run { warehouse.expirable_fresh(HOURS).await? } else { warehouse.expire_fresh(HOURS).await? });
        Ok(vec![applied])
    }
}
