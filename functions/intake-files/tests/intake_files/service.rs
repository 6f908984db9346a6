//! Files put into the inbox of a real bucket, taken into a log in memory.

use std::sync::Arc;

use bytes::Bytes;
use clickstream_event::{Event, Rejection, Site, Sites};
use clickstream_intake_files::{FileOutcome, IntakeFiles, Limits, Receipt};
use clickstream_log::{EVENTS, REJECTED};
use clickstream_objects::Objects as _;
use clickstream_testkit::{flaky::Flaky, memory_log::MemoryLog, s3::Bucket};

pub struct Service {
    pub bucket: Bucket,
    pub flaky: Arc<Flaky>,
    pub log: Arc<MemoryLog>,
    pub intake: IntakeFiles,
}

impl Service {
    pub async fn start() -> Self {
        Self::limited(Limits::default()).await
    }

    pub async fn limited(limits: Limits) -> Self {
        let bucket = Bucket::start().await;
        let (flaky, log) = (Arc::new(Flaky::new(bucket.objects.clone())), Arc::new(MemoryLog::default()));
        let intake = IntakeFiles::new(log.clone(), flaky.clone(), Sites::new(vec![Site::new("shop", "k")]), limits);
        Self { bucket, flaky, log, intake }
    }

    /// Puts a file into the shop's inbox and takes it.
    pub async fn take(&self, name: &str, bytes: impl Into<Bytes>) -> FileOutcome {
        let announced = self.bucket.put(&format!("inbox/shop/{name}"), bytes).await;
        self.intake.handle(&announced).await.unwrap()
    }

    /// The same, of a file that is taken for the first time; its receipt stands in the bucket.
    pub async fn receipt(&self, name: &str, bytes: impl Into<Bytes>) -> Receipt {
        let FileOutcome::Taken(receipt) = self.take(name, bytes).await else { panic!("{name} was not taken") };
        let key = clickstream_intake_files::receipt_key("shop", name, &receipt.etag);
        let (_, written) = self.bucket.objects.get(&key).await.unwrap();
        assert_eq!(serde_json::from_slice::<Receipt>(&written).unwrap(), *receipt);
        assert_eq!(receipt.lines, receipt.accepted + receipt.suspicious + receipt.rejected);
        *receipt
    }

    pub fn events(&self) -> Vec<Event> {
        self.log.values(EVENTS)
    }

    pub fn rejections(&self) -> Vec<Rejection> {
        self.log.values(REJECTED)
    }
}

/// Code of what is wrong with the file as a whole.
pub fn code(receipt: &Receipt) -> Option<&str> {
    receipt.error.as_ref().map(|e| e.code.as_str())
}

/// Line and first reason of each rejected line.
pub fn rejected(receipt: &Receipt) -> Vec<(u64, &str)> {
    receipt.rejected_lines.iter().map(|l| (l.line, l.reasons[0].code.as_str())).collect()
}

/// A click that nothing is to be remarked on.
pub fn line(id: impl std::fmt::Display) -> String {
    format!(
        r#"{{"event_id":"{id}","action":"click","element_id":"buy","user_id":"u","device_type":"desktop","occurred_at":"2026-11-24T10:00:00Z"}}"#
    )
}

/// Such lines, one after the other.
pub fn lines(ids: std::ops::Range<u32>) -> String {
    ids.map(|id| line(id) + "\n").collect()
}
