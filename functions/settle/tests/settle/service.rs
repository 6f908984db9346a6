//! A real lake and a real ClickHouse.

use std::sync::Arc;

use clickstream_columns::{event_schema, raw_batch, write_lake_file};
use clickstream_event::Event;
use clickstream_lake::{Lake, place};
use clickstream_settle::Settle;
use clickstream_testkit::{clickhouse::Database, s3::Bucket, sample::rows};

pub struct Service {
    pub bucket: Bucket,
    pub lake: Arc<Lake>,
    pub database: Database,
}

impl Service {
    pub async fn start() -> Self {
        let bucket = Bucket::start().await;
        let lake = Arc::new(Lake::open(bucket.config()).await.unwrap());
        Self { bucket, lake, database: Database::create().await }
    }

    pub fn settle(&self) -> Settle {
        Settle::new(Arc::clone(&self.lake), self.database.warehouse.clone())
    }

    /// Appends events of a partition, the first at `first`, as the lake's next version.
    pub async fn append(&self, partition: u32, first: u64, events: &[Event]) -> u64 {
        self.append_said(partition, first, events, events.len() as u64).await
    }

    /// The same, where the lake's statistics say that there are `said` rows.
    pub async fn append_said(&self, partition: u32, first: u64, events: &[Event], said: u64) -> u64 {
        let mut files = Vec::new();
        if let (Some(from), Some(to)) = (events.iter().map(|e| e.original_at).min(), events.iter().map(|e| e.original_at).max()) {
            let raw = raw_batch("l", partition, &rows(first, events)).unwrap();
            let columns: Vec<usize> = (0..event_schema().fields().len()).collect();
            let bytes = write_lake_file([Ok(raw.project(&columns).unwrap())]).unwrap();
            files.push(self.lake.write_file(bytes, said, (from, to), (from, to)).await.unwrap());
        }
        let base = self.lake.snapshot().await.unwrap();
        let advanced = [(place("l", partition), first + events.len() as u64)].into();
        self.lake.commit(&base, &files, &advanced).await.unwrap()
    }
}
