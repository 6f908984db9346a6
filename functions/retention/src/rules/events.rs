//! The event store: events by their setting, rejections after 30 days. Rows of `ScyllaDB` or Cassandra end by themselves.

use clickstream_store::Expired;

use crate::{Applied, KeptEvents, REJECTED_DAYS, Retention, RetentionError};

impl Retention {
    pub(crate) async fn events(&self, dry_run: bool) -> Result<Vec<Applied>, RetentionError> {
        let Some(KeptEvents { store, days }) = &self.stores.events else { return Ok(Vec::new()) };
        let (events_before, rejections_before) = (self.days_ago(*days), self.days_ago(REJECTED_DAYS));
        let Expired { events, rejections } = if dry_run {
            store.expirable(events_before, rejections_before).await?
        } else {
            store.expire(events_before, rejections_before).await?
        };
        let of = |rule: &str, days, removed| Applied { removed, ..Applied::of_days(rule, days, "rows") };
        Ok(vec![of("event store", *days, events), of("rejected records", REJECTED_DAYS, rejections)])
    }
}
