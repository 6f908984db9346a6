//! What was replayed, with ids of some of the events, as long as ClickHouse keeps the ledger.

use super::remover::Remover;
use crate::{Applied, Retention, RetentionError};

/// Days, as of the table `ledger`.
const DAYS: u32 = 400;

impl Retention {
    pub(crate) async fn replays(&self, dry_run: bool) -> Result<Vec<Applied>, RetentionError> {
        let (mut applied, before) = (Applied::of_days("replays", DAYS, "objects"), self.days_ago(DAYS));
        let remover = Remover::of(&self.stores.objects, dry_run).await?;
        applied.add(remover.remove_older("replays/", before).await?);
        Ok(vec![applied])
    }
}
