//! What nobody could take: files of sites that do not exist, damaged spill objects. An operator has had time to look.

use super::remover::Remover;
use crate::{Applied, Retention, RetentionError};

impl Retention {
    pub(crate) async fn quarantine(&self, dry_run: bool) -> Result<Vec<Applied>, RetentionError> {
        let days = self.settings.quarantine_days;
        let (mut applied, before) = (Applied::of_days("quarantine", days, "objects"), self.days_ago(days));
        let remover = Remover::of(&self.stores.objects, dry_run).await?;
        applied.add(remover.remove_older("quarantine/", before).await?);
        Ok(vec![applied])
    }
}
