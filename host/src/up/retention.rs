//! What is kept how long: the log once landed and stored, raw objects once settled, the event store.

use std::{sync::Arc, time::Duration};

use clickstream_event::Micros;
use clickstream_log::{EVENTS, INBOUND, LogError, REJECTED, SharedLog};
use clickstream_objects::{ObjectError, SharedObjects};

use super::{Parts, polled};
use crate::config::Config;

/// Rejected records are kept this long.
pub const REJECTED_DAYS: u32 = 30;
/// Rows of `fresh` stay this long after they are settled, hours.
const FRESH_HOURS: u32 = 2;

/// The rules and what they act on.
pub struct Retention {
    parts: Arc<Parts>,
    log_days: u32,
    raw_days: u32,
    event_days: u32,
    inbox_days: Option<u32>,
}

impl Retention {
    /// The rules of `config`.
    pub fn new(parts: &Arc<Parts>, config: &Config) -> Self {
        let Config { log_days, raw_days, event_days, inbox_days, .. } = *config;
        Self { parts: Arc::clone(parts), log_days, raw_days, event_days, inbox_days }
    }

    /// Applies every rule once; doing it twice changes nothing.
    pub async fn run(&self) -> anyhow::Result<()> {
        let parts = &self.parts;
        expire_topic(&parts.log, EVENTS, &[polled::STORE, polled::LAND], days_ago(self.log_days)).await?;
        expire_topic(&parts.log, INBOUND, &[polled::INTAKE_TOPIC], days_ago(self.log_days)).await?;
        expire_topic(&parts.log, REJECTED, &[polled::STORE], days_ago(REJECTED_DAYS)).await?;
        parts.store.expire(days_ago(self.event_days), days_ago(REJECTED_DAYS)).await?;
        self.expire_raw().await?;
        if let Some(days) = self.inbox_days {
            expire_inbox(&parts.objects, days_ago(days)).await?;
        }
        parts.warehouse.expire_fresh(FRESH_HOURS).await?;
        parts.warehouse.abandon_loads(24).await?;
        Ok(())
    }

    /// Removes raw objects wholly below the settled watermark and old enough.
    async fn expire_raw(&self) -> anyhow::Result<()> {
        let Some(settled) = self.parts.warehouse.newest_commit().await? else { return Ok(()) };
        let before = days_ago(self.raw_days).0;
        for (place, watermark) in settled.watermarks {
            let Some((log_id, partition)) = place.rsplit_once('/') else { continue };
            let Ok(partition) = partition.parse::<u32>() else { continue };
            let prefix = format!("raw/events/{log_id}/{partition:05}/");
            let mut after = None;
            loop {
                let page = self.parts.objects.list(&prefix, after.as_deref(), 1_000).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.key.clone());
                let old = page.iter().filter(|o| o.modified_at < before && last_offset(&o.key, &prefix).is_some_and(|l| l < watermark));
                for object in old {
                    self.parts.objects.delete(&object.key).await?;
                }
                // Keys are ordered by last offset, which is about by age: past the watermark, or where a whole page is
                // young, there is nothing to expire.
                if page.iter().all(|o| o.modified_at >= before) {
                    break;
                }
                if last_offset(after.as_deref().unwrap_or_default(), &prefix).is_none_or(|l| l >= watermark) {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Removes files of the inbox that were taken before `before`, and then what tells of them. A file without a receipt stays.
pub async fn expire_inbox(objects: &SharedObjects, before: Micros) -> Result<u64, ObjectError> {
    let (mut removed, mut after) = (0, None::<String>);
    loop {
        let page = objects.list("receipts/", after.as_deref(), 1_000).await?;
        let Some(last) = page.last() else { return Ok(removed) };
        after = Some(last.key.clone());
        for receipt in page.iter().filter(|receipt| receipt.modified_at < before.0) {
            if let Some(file) = taken_file(&receipt.key) {
                match objects.head(&file.key).await {
                    // New content under the same name is a new file, with a receipt of its own.
                    Ok(standing) if standing.etag == file.etag => objects.delete(&file.key).await?,
                    Ok(_) | Err(ObjectError::NotFound(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            objects.delete(&receipt.key).await?;
            removed += 1;
        }
    }
}

/// A file by its key and `ETag`.
#[derive(Debug, PartialEq, Eq)]
struct TakenFile {
    key: String,
    etag: String,
}

/// The file of a receipt `receipts/{site}/{name}-{etag}.json`; none for the list of lines beside a receipt.
fn taken_file(receipt: &str) -> Option<TakenFile> {
    let (file, etag) = receipt.strip_prefix("receipts/")?.strip_suffix(".json")?.rsplit_once('-')?;
    // The ETag of a file that was put in parts ends in `-` and their number.
    let (file, etag) = match file.rsplit_once('-') {
        Some((rest, hash)) if etag.len() < 32 && hash.len() == 32 => (rest, format!("{hash}-{etag}")),
        _ => (file, etag.to_owned()),
    };
    Some(TakenFile { key: format!("inbox/{file}"), etag })
}

fn days_ago(days: u32) -> Micros {
    Micros::now().plus(-i64::from(days) * Micros::DAY)
}

/// The last offset in a raw key `{prefix}{last:020}-{first:020}.parquet`.
fn last_offset(key: &str, prefix: &str) -> Option<u64> {
    key.strip_prefix(prefix)?.split_once('-')?.0.parse().ok()
}

/// Forgets records older than `before` that every group has done.
async fn expire_topic(log: &SharedLog, topic: &str, groups: &[&str], before: Micros) -> Result<(), LogError> {
    for extent in log.extents(topic).await? {
        let mut done = extent.end;
        for group in groups {
            let committed = log.committed(group, topic).await?;
            let next = committed.iter().find(|(p, _)| *p == extent.partition).and_then(|(_, next)| *next);
            done = done.min(next.unwrap_or(extent.start));
        }
        let offset = first_at_or_after(log, topic, extent.partition, extent.start, done, before).await?;
        if offset > extent.start {
            log.expire(topic, extent.partition, offset).await?;
            tracing::info!(topic, partition = extent.partition, offset, "expired records below the offset");
            // Let appends through between two partitions.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    Ok(())
}

/// The first offset in `[low, high)` that was appended at `before` or later, by bisection; `high` if none was.
async fn first_at_or_after(log: &SharedLog, topic: &str, partition: u32, low: u64, high: u64, before: Micros) -> Result<u64, LogError> {
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low + (high - low) / 2;
        let record = log.read(topic, partition, middle, 1, 1).await?;
        if record.first().is_some_and(|r| r.appended_at < before.0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clickstream_objects::{PutOptions, embedded::EmbeddedS3, s3::S3Objects};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn files_that_were_taken_go_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let s3 = EmbeddedS3::start(folder.path(), "clickstream").await.unwrap();
        let objects: SharedObjects = Arc::new(S3Objects::connect(s3.config()).await);
        let put = async |key: &str| objects.put(key, key.to_owned().into(), PutOptions::default()).await.unwrap();
        let taken = put("inbox/shop/a-b.csv").await;
        put("inbox/shop/new.csv").await;
        put("inbox/shop/untaken.csv").await;
        put(&format!("receipts/shop/a-b.csv-{taken}.json")).await;
        put(&format!("receipts/shop/a-b.csv-{taken}-rejected.ndjson.gz")).await;
        put("receipts/shop/new.csv-00000000000000000000000000000000.json").await;
        assert_eq!(expire_inbox(&objects, Micros(0)).await.unwrap(), 0);
        assert_eq!(expire_inbox(&objects, Micros::now().plus(Micros::DAY)).await.unwrap(), 3);
        let left: Vec<_> = objects.list("", None, 100).await.unwrap().into_iter().map(|object| object.key).collect();
        assert_eq!(left, ["inbox/shop/new.csv", "inbox/shop/untaken.csv"]);
        s3.shutdown().await;
    }

    #[test]
    fn a_receipt_names_its_file() {
        let etag = "0123456789abcdef0123456789abcdef";
        let of = |etag: &str| taken_file(&format!("receipts/shop/a/b-c.csv-{etag}.json")).map(|file| (file.key, file.etag));
        assert_eq!(of(etag), Some(("inbox/shop/a/b-c.csv".to_owned(), etag.to_owned())));
        assert_eq!(of(&format!("{etag}-3")), Some(("inbox/shop/a/b-c.csv".to_owned(), format!("{etag}-3"))));
        assert_eq!(taken_file("receipts/shop/x-rejected.ndjson.gz"), None);
    }

    #[test]
    fn a_raw_key_names_its_last_offset() {
        let prefix = "raw/events/l/00001/";
        assert_eq!(last_offset(&format!("{prefix}{:020}-{:020}.parquet", 41, 7), prefix), Some(41));
        assert_eq!(last_offset("other", prefix), None);
    }
}
