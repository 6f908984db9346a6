//! What waits in `spill/` for the log: written anew without the person's records.

use clickstream_event::{Event, Rejection};
use clickstream_log::{EVENTS, Record};
use clickstream_objects::{Condition, ObjectError, PutOptions};
use clickstream_spill::{PREFIX, decode, encode};

use crate::{Erase, EraseError, Erasure, rejected::which};

/// Objects listed at a time.
const PAGE: usize = 1_000;

impl Erase {
    pub(crate) async fn erase_spill(&self, erasure: &mut Erasure) -> Result<(), EraseError> {
        let erased = self.erased(erasure).await?;
        let which = which(erasure, erased.clone());
        let mut after: Option<String> = None;
        loop {
            let page = self.objects.list(PREFIX, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.key.clone());
            for object in &page {
                let (info, bytes) = match self.objects.get(&object.key).await {
                    Ok(found) => found,
                    // It is back in the log.
                    Err(ObjectError::NotFound(_)) => continue,
                    Err(error) => return Err(error.into()),
                };
                // A damaged one is put into quarantine by who returns them; it is looked at there.
                let Ok(mut parcels) = decode(&bytes) else { continue };
                let before: usize = parcels.iter().map(|parcel| parcel.records.len()).sum();
                for parcel in &mut parcels {
                    let is_event = parcel.topic == EVENTS;
                    parcel.records.retain(|record| !gone(record, is_event, |e| erased.erases(e), |r| which(r)));
                }
                parcels.retain(|parcel| !parcel.records.is_empty());
                let left: usize = parcels.iter().map(|parcel| parcel.records.len()).sum();
                if left == before {
                    continue;
                }
                if parcels.is_empty() {
                    self.objects.delete(&object.key).await?;
                    erasure.deleted.insert(object.key.clone());
                } else {
                    let body = encode(&parcels).map_err(|e| ObjectError::Refused(e.to_string()))?;
                    let metadata = [("records".to_owned(), left.to_string())].into();
                    let options = PutOptions {
                        condition: Condition::Matches(info.etag),
                        content_type: Some("application/zstd".to_owned()),
                        metadata,
                    };
                    match self.objects.put(&object.key, body.into(), options).await {
                        Ok(_) => {}
                        Err(ObjectError::PreconditionFailed(_) | ObjectError::NotFound(_)) => continue,
                        Err(error) => return Err(error.into()),
                    }
                    erasure.rewritten.insert(object.key.clone());
                }
                erasure.removed.spilled_records += (before - left) as u64;
                erasure.save(&self.objects).await?;
            }
        }
    }
}

fn gone(record: &Record, is_event: bool, event: impl Fn(&Event) -> bool, rejection: impl Fn(&Rejection) -> bool) -> bool {
    if is_event {
        serde_json::from_slice::<Event>(&record.value).is_ok_and(|read| event(&read))
    } else {
        serde_json::from_slice::<Rejection>(&record.value).is_ok_and(|read| rejection(&read))
    }
}
