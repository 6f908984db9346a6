//! Events by id.

use clickstream_event::{Event, Logged, Micros};
use uuid::Uuid;

use super::ScyllaStore;
use crate::{CopyAt, ErasedEvent, StoreError, copies};

impl ScyllaStore {
    /// The kept copy of an event of `site`.
    pub(super) async fn find_event(&self, site: &str, event_id: Uuid) -> Result<Option<Logged>, StoreError> {
        let found: Vec<(i32, i64, String)> = self.0.lanes.read(&self.0.statements.first_copy, (event_id, site)).await?;
        found.into_iter().next().map(|(partition, offset, json)| decode(event_id, partition, offset, &json)).transpose()
    }

    /// Where every copy of an event of `site` stands, the kept one first.
    pub(super) async fn copies_of(&self, site: &str, event_id: Uuid) -> Result<Vec<CopyAt>, StoreError> {
        let found: Vec<(i64, i32, i64, String)> = self.0.lanes.read(&self.0.statements.copies, (event_id, site)).await?;
        let at = |(received_at, partition, offset, _): (i64, i32, i64, String)| CopyAt {
            received_at: Micros(received_at),
            partition: partition as u32,
            offset: offset as u64,
        };
        Ok(found.into_iter().map(at).collect())
    }

    /// The kept copy of an event of any site; of several sites the one received first.
    pub(super) async fn find_event_anywhere(&self, event_id: Uuid) -> Result<Option<Logged>, StoreError> {
        let found: Vec<(i64, i32, i64, String)> = self.0.lanes.read(&self.0.statements.first_copies, (event_id,)).await?;
        let decoded = found.into_iter().map(|(_, partition, offset, json)| decode(event_id, partition, offset, &json));
        let copies: Vec<Logged> = decoded.collect::<Result<_, _>>()?;
        Ok(copies.into_iter().min_by_key(copies::place))
    }

    /// Whether an event was erased, on any site where `site` is none; of several sites the latest.
    pub(super) async fn find_erased(&self, site: Option<&str>, event_id: Uuid) -> Result<Option<ErasedEvent>, StoreError> {
        let found: Vec<(String, i64)> = self.0.lanes.read(&self.0.statements.erased, (event_id,)).await?;
        let of = found.into_iter().filter(|(of, _)| site.is_none_or(|site| site == of));
        Ok(of.max_by_key(|(_, at)| *at).map(|(site_id, at)| ErasedEvent { site_id, event_id, erased_at: Micros(at) }))
    }
}

fn decode(event_id: Uuid, partition: i32, offset: i64, json: &str) -> Result<Logged, StoreError> {
    let event: Event =
        serde_json::from_str(json).map_err(|e| StoreError::Corrupt(format!("the row of event {event_id} is no event: {e}")))?;
    Ok(Logged { log_partition: partition as u32, log_offset: offset as u64, event })
}
