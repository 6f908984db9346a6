//! One batch of the log as land writes it, and as it would be with zstd NDJSON; each timed by the thread's own clock.

use std::{fs, path::Path};

use anyhow::Context as _;
use bytes::Bytes;
use clickstream_columns::{RawRow, write_raw_rows};
use clickstream_event::Event;
use serde::Serialize;

/// What landing cost, processor seconds and bytes.
#[derive(Debug, Default, Serialize)]
pub struct Cost {
    /// Events.
    pub events: u64,
    /// Objects of each format.
    pub objects: u64,
    /// Bytes of the events as JSON.
    pub json_bytes: u64,
    /// Bytes of the raw objects.
    pub parquet_bytes: u64,
    /// Bytes of the NDJSON objects.
    pub ndjson_bytes: u64,
    /// Reading the records, so that what is no event is told apart: needed in either format.
    pub read_seconds: f64,
    /// Sorting, making columns, encoding Parquet.
    pub parquet_seconds: f64,
    /// Adding places and compressing NDJSON.
    pub ndjson_seconds: f64,
}

/// Records of a partition that become one object.
pub struct Object {
    partition: u32,
    first: u64,
    records: Vec<Bytes>,
}

impl Object {
    /// None yet; the first record will be at offset `first`.
    pub fn new(partition: u32, first: u64) -> Self {
        Self { partition, first, records: Vec::new() }
    }

    /// Records so far.
    pub fn rows(&self) -> u64 {
        self.records.len() as u64
    }

    /// The offset after the last.
    pub fn next(&self) -> u64 {
        self.first + self.rows()
    }

    /// Takes an event as it stands on the topic.
    pub fn take(&mut self, event: &Event) -> anyhow::Result<()> {
        self.records.push(serde_json::to_vec(event)?.into());
        Ok(())
    }

    /// Writes the object, and one of NDJSON if that is wanted.
    pub fn write(self, folder: &Path, log: &str, ndjson: bool, cost: &mut Cost) -> anyhow::Result<()> {
        let (partition, last) = (self.partition, self.next() - 1);
        cost.events += self.rows();
        cost.objects += 1;
        cost.json_bytes += self.records.iter().map(|record| record.len() as u64).sum::<u64>();
        let events: Vec<Event> =
            timed(&mut cost.read_seconds, || self.records.iter().map(|record| serde_json::from_slice(record)).collect::<Result<_, _>>())??;
        let rows: Vec<(u64, RawRow)> = (self.first..).zip(events).map(|(offset, e)| (offset, RawRow::Event(Box::new(e)))).collect();
        let parquet = timed(&mut cost.parquet_seconds, || write_raw_rows(log, partition, &rows))??;
        cost.parquet_bytes += parquet.len() as u64;
        let raw = folder.join(format!("raw/events/{log}/{partition:05}"));
        fs::create_dir_all(&raw)?;
        fs::write(raw.join(format!("{last:020}-{:020}.parquet", self.first)), parquet)?;
        if ndjson {
            let ndjson = timed(&mut cost.ndjson_seconds, || self.ndjson(log))??;
            cost.ndjson_bytes += ndjson.len() as u64;
            fs::write(folder.join(format!("ndjson/{partition:05}-{last:020}.ndjson.zst")), ndjson)?;
        }
        Ok(())
    }

    /// The records as they are, with their places, zstd of the same level as Parquet's.
    fn ndjson(&self, log: &str) -> anyhow::Result<Vec<u8>> {
        let mut lines = Vec::with_capacity(self.records.iter().map(|r| r.len() + 80).sum());
        for (offset, record) in (self.first..).zip(&self.records) {
            lines.extend_from_slice(record.strip_suffix(b"}").context("a record is an object")?);
            let place = format!(r#","log_id":"{log}","log_partition":{},"log_offset":{offset}}}"#, self.partition);
            lines.extend_from_slice(place.as_bytes());
            lines.push(b'\n');
        }
        Ok(zstd::encode_all(lines.as_slice(), 1)?)
    }
}

/// Adds the processor time of this thread that `work` takes, s.
fn timed<T>(seconds: &mut f64, work: impl FnOnce() -> T) -> anyhow::Result<T> {
    let before = on_processor()?;
    let result = work();
    *seconds += on_processor()? - before;
    Ok(result)
}

/// Processor time of this thread so far, s: the first number of its schedstat, ns
/// (<https://docs.kernel.org/scheduler/sched-stats.html>).
fn on_processor() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").context("Linux counts the time of threads")?;
    let nanoseconds: f64 = stat.split(' ').next().context("schedstat has three numbers")?.parse()?;
    Ok(nanoseconds / 1e9)
}
