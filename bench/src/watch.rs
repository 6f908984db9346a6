//! Memory and processor time of the service, second by second.

use std::time::Duration;

use tokio::{sync::oneshot, time::Instant};

use crate::{
    process::{Memory, Process},
    report,
};

/// Seconds between two lines on stderr.
const SAID_EVERY: u64 = 10;

/// What was seen of a process while it worked.
pub struct Watched {
    /// Samples of resident memory, MiB.
    resident: Vec<u64>,
    /// The last sample.
    last: Memory,
    /// Processor time used, s.
    pub processor_seconds: f64,
    /// Wall time watched, s.
    pub wall: f64,
    written: u64,
}

/// Watches until `done`.
pub async fn watch(process: Process, mut done: oneshot::Receiver<()>) -> anyhow::Result<Watched> {
    let began = Instant::now();
    let (before, written) = (process.processor_seconds()?, process.written_bytes()?);
    let mut said = before;
    let mut watched = Watched { resident: Vec::new(), last: Memory::default(), processor_seconds: 0.0, wall: 0.0, written: 0 };
    for second in 1_u64.. {
        let next = tokio::time::sleep_until(began + Duration::from_secs(second));
        let over = tokio::select! {
            _ = &mut done => true,
            () = next => false,
        };
        watched.last = process.memory()?;
        watched.resident.push(watched.last.resident);
        if over {
            break;
        }
        if second.is_multiple_of(SAID_EVERY) {
            let now = process.processor_seconds()?;
            eprintln!("{second:>5} s: {}; {:.0} % of a core", watched.last, 100.0 * (now - said) / SAID_EVERY as f64);
            said = now;
        }
    }
    watched.processor_seconds = process.processor_seconds()? - before;
    watched.written = process.written_bytes()? - written;
    watched.wall = began.elapsed().as_secs_f64();
    Ok(watched)
}

impl Watched {
    /// Rows of memory, processor and disk, for `events` that were taken.
    pub fn print(&self, events: u64) {
        let mut sorted = self.resident.clone();
        sorted.sort_unstable();
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        let Memory { peak, anonymous, .. } = self.last;
        report::row(
            "memory of the process, ClickHouse included",
            &format!("{peak} MiB at the peak, {median} MiB in the median second, {anonymous} MiB anonymous at the end"),
        );
        let per_event = 1e6 * self.processor_seconds / events.max(1) as f64;
        report::row(
            "processor time of the service",
            &format!(
                "{:.0} s in {:.0} s ({:.2} cores), {per_event:.0} µs an event",
                self.processor_seconds,
                self.wall,
                self.processor_seconds / self.wall
            ),
        );
        report::row("written to disk", &format!("{} bytes an event", report::thousands(self.written / events.max(1))));
    }
}
