//! Raw objects that nobody announced: landed a while ago, not settled, and not in `fresh`.

use std::time::Duration;

use clickstream_columns::{RawRow, read_parquet, records};
use clickstream_event::Micros;
use clickstream_lake::place;
use clickstream_objects::ObjectError;
use uuid::Uuid;

use super::repair;
use crate::{
    Reconcile, ReconcileError, Repair,
    ledger::Known,
    raw::{self, RawObject},
};

impl Reconcile {
    /// Loads those that are older than `grace`: younger ones may still be announced. An object whose events are all there in other copies is loaded: `fresh` keeps one row of an event.
    pub(crate) async fn load_what_was_missed(&self, known: &Known, grace: Duration, dry_run: bool) -> Result<Vec<Repair>, ReconcileError> {
        let (log_id, mut repairs) = (&self.sources.log_id, Vec::new());
        let announced_before = Micros::now().plus(-(grace.as_micros() as i64));
        for extent in &known.events {
            let settled = known.settled_to(&place(log_id, extent.partition));
            for object in raw::objects_from(&self.sources.objects, log_id, extent.partition, settled).await? {
                if object.modified_at > announced_before {
                    continue;
                }
                let lacking = self.lacking(&object, extent.partition, settled, dry_run).await?;
                if lacking > 0 {
                    repairs.push(repair("lost_notification", object.key, lacking, dry_run));
                }
            }
        }
        Ok(repairs)
    }

    /// How many events of an object ClickHouse lacks; loads the object if it lacks any.
    async fn lacking(&self, object: &RawObject, partition: u32, settled: u64, dry_run: bool) -> Result<u64, ReconcileError> {
        let warehouse = &self.sources.warehouse;
        let from = object.first.max(settled);
        if warehouse.fresh_offsets(&self.sources.log_id, partition, from, object.last + 1).await? == object.last + 1 - from {
            return Ok(0);
        }
        // Repeats and dead letters have no offset of their own in `fresh`: only the ids tell.
        let bytes = match self.sources.objects.get(&object.key).await {
            Ok((_, bytes)) => bytes,
            // It was settled and expired meanwhile.
            Err(ObjectError::NotFound(_)) => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        let columns = |cause| ReconcileError::Columns { key: object.key.clone(), cause };
        let erased = self.sources.tombstones.fresh().await?;
        let mut events: Vec<(String, Uuid)> = Vec::new();
        for batch in read_parquet(bytes.clone()).map_err(columns)? {
            for record in records(&batch).map_err(columns)? {
                if let RawRow::Event(event) = record.row
                    && record.log_offset >= settled
                    && !erased.erases(&event)
                {
                    events.push((event.site_id, event.event_id));
                }
            }
        }
        events.sort_unstable();
        events.dedup();
        let lacking = warehouse.not_loaded(&events).await?.len() as u64;
        if lacking > 0 && !dry_run {
            warehouse.insert_raw(erased.without(bytes).map_err(columns)?).await?;
        }
        Ok(lacking)
    }
}
