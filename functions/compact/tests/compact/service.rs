//! A compaction on a real bucket and a real lake.

use std::sync::Arc;

use arrow::{
    array::AsArray as _,
    datatypes::{Int32Type, Int64Type},
};
use clickstream_columns::read_columns;
use clickstream_compact::{Compact, CompactReport, CompactRequest};
use clickstream_event::Event;
use clickstream_lake::{Lake, Snapshot};
use clickstream_testkit::{s3::Bucket, sample::rows};
use uuid::Uuid;

pub struct Service {
    pub bucket: Bucket,
    pub lake: Arc<Lake>,
}

impl Service {
    pub async fn start() -> Self {
        let bucket = Bucket::start().await;
        let lake = Arc::new(Lake::open(bucket.config()).await.unwrap());
        Self { bucket, lake }
    }

    /// A compaction that remembers nothing, as after a restart.
    pub async fn compaction(&self) -> Compact {
        let lake = Arc::new(Lake::open(self.bucket.config()).await.unwrap());
        Compact::new(self.bucket.objects.clone(), lake, "l".to_owned())
    }

    pub async fn run(&self) -> CompactReport {
        self.compaction().await.run(CompactRequest::default()).await.unwrap()
    }

    pub async fn land(&self, partition: u32, first: u64, events: &[Event]) {
        self.bucket.land("l", partition, &rows(first, events)).await;
    }

    pub async fn snapshot(&self) -> Snapshot {
        self.lake.snapshot().await.unwrap()
    }

    /// Id, partition and offset of every row of the lake, in order.
    pub async fn rows(&self) -> Vec<(u128, i32, i64)> {
        rows_of(&self.lake).await
    }

    /// The ids of every row of the lake, in order.
    pub async fn ids(&self) -> Vec<u128> {
        self.rows().await.into_iter().map(|(id, ..)| id).collect()
    }

    /// A lake of its own handle, as another process has.
    pub async fn other_lake(&self) -> Arc<Lake> {
        Arc::new(Lake::open(self.bucket.config()).await.unwrap())
    }

    /// Lands a batch after the other and compacts each, so that the lake has as many files.
    pub async fn files_of(&self, partition: u32, batches: &[Vec<Event>]) {
        let mut offset = 0;
        for batch in batches {
            self.land(partition, offset, batch).await;
            offset += batch.len() as u64;
            self.run().await;
        }
    }
}

/// Id, partition and offset of every row of a lake, in order.
pub async fn rows_of(lake: &Lake) -> Vec<(u128, i32, i64)> {
    let mut rows = Vec::new();
    for file in lake.snapshot().await.unwrap().files {
        let bytes = lake.read_file(&file.path).await.unwrap();
        for batch in read_columns(bytes, &["event_id", "log_partition", "log_offset"]).unwrap() {
            let ids = batch["event_id"].as_string::<i32>().iter().map(|id| id.unwrap().parse::<Uuid>().unwrap().as_u128());
            let partitions = batch["log_partition"].as_primitive::<Int32Type>().values();
            let offsets = batch["log_offset"].as_primitive::<Int64Type>().values();
            rows.extend(ids.zip(partitions.iter().zip(offsets)).map(|(id, (partition, offset))| (id, *partition, *offset)));
        }
    }
    rows.sort_unstable();
    rows
}
