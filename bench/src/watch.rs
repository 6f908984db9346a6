//! Memory and processor time of a process, second by second.

use std::time::Duration;

use tokio::{sync::watch::Receiver, task::JoinHandle, time::Instant};

use crate::{
    process::{Memory, Named, Process},
    report,
};

/// Seconds between two lines on stderr.
const SAID_EVERY: u64 = 10;

/// A process that is being watched, until what it was given is over.
pub struct Watch(JoinHandle<anyhow::Result<Watched>>);

/// What was seen of a process while it worked.
pub struct Watched {
    /// Samples of resident memory, MiB.
    resident: Vec<u64>,
    /// The last sample.
    pub last: Memory,
    /// Processor time used, s.
    pub processor_seconds: f64,
    /// Wall time watched, s.
    wall: f64,
    written: u64,
}

impl Watch {
    /// Watches until the sender of `over` is dropped, and says on stderr how it goes.
    pub fn aloud(process: Process, over: Receiver<()>) -> Self {
        Self(tokio::spawn(watch(process, over, true)))
    }

    /// The same without a word.
    pub fn silent(process: Process, over: Receiver<()>) -> Self {
        Self(tokio::spawn(watch(process, over, false)))
    }

    /// What was seen.
    pub async fn end(self) -> anyhow::Result<Watched> {
        self.0.await?
    }
}

/// Watches servers that the service uses.
pub fn servers<'a>(servers: &'a [Named], over: &Receiver<()>) -> Vec<(&'a str, Watch)> {
    servers.iter().map(|server| (server.name.as_str(), Watch::silent(server.process, over.clone()))).collect()
}

async fn watch(process: Process, mut over: Receiver<()>, aloud: bool) -> anyhow::Result<Watched> {
    let began = Instant::now();
    let (before, written) = (process.processor_seconds()?, process.written_bytes()?);
    let mut said = before;
    let mut watched = Watched { resident: Vec::new(), last: Memory::default(), processor_seconds: 0.0, wall: 0.0, written: 0 };
    for second in 1_u64.. {
        let next = tokio::time::sleep_until(began + Duration::from_secs(second));
        let over = tokio::select! {
            _ = over.changed() => true,
            () = next => false,
        };
        watched.last = process.memory()?;
        watched.resident.push(watched.last.resident);
        if over {
            break;
        }
        if aloud && second.is_multiple_of(SAID_EVERY) {
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
    /// Rows of memory, processor and disk of the service, for `events` that were taken.
    pub fn print(&self, events: u64) {
        let Memory { peak, anonymous, .. } = self.last;
        report::row(
            "memory of the process, ClickHouse included",
            &format!("{peak} MiB at the peak, {} MiB in the median second, {anonymous} MiB anonymous at the end", self.median()),
        );
        report::row("processor time of the service", &self.processor(events));
        report::row("written to disk", &format!("{} an event", self.written_each(events)));
    }

    /// One row of a server that the service uses.
    pub fn print_server(&self, name: &str, events: u64) {
        let figure = format!(
            "{}; {} MiB at the peak, {} MiB in the median second; {} written to disk an event",
            self.processor(events),
            self.last.peak,
            self.median(),
            self.written_each(events)
        );
        report::row(name, &figure);
    }

    /// Processor time for each of `events`, µs.
    pub fn micros_each(&self, events: u64) -> f64 {
        1e6 * self.processor_seconds / events.max(1) as f64
    }

    fn processor(&self, events: u64) -> String {
        let (used, wall) = (self.processor_seconds, self.wall);
        format!("{used:.0} s in {wall:.0} s ({:.2} cores), {:.0} µs an event", used / wall, self.micros_each(events))
    }

    fn written_each(&self, events: u64) -> String {
        format!("{} bytes", report::thousands(self.written / events.max(1)))
    }

    fn median(&self) -> u64 {
        let mut sorted = self.resident.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }
}
