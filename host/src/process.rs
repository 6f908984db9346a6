//! This process and its disk, as metrics: looked at when they are scraped.

use clickstream_telemetry::metric;

use crate::{memory, up::Parts};

/// What looks.
pub struct Process(metrics_process::Collector);

impl Process {
    /// Says of each metric of the process what it is. To be called once the recorder is there.
    pub fn described() -> Self {
        let collector = metrics_process::Collector::default();
        collector.describe();
        if let Some(limit) = memory::limit() {
            metrics::gauge!(metric::MEMORY_LIMIT).set(limit as f64);
        }
        Self(collector)
    }

    /// Looks now. Takes less than a millisecond.
    pub fn look(&self, parts: &Parts) {
        self.0.collect();
        if let Some((free, size)) = parts.disk() {
            metrics::gauge!(metric::DISK_FREE).set(free as f64);
            metrics::gauge!(metric::DISK_SIZE).set(size as f64);
        }
    }
}
