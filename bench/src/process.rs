//! A process as Linux's /proc shows it (proc(5)).

use std::{fmt, fs, str::FromStr};

use anyhow::Context as _;

/// Ticks of the clock in which processor time is counted, per second (`sysconf(_SC_CLK_TCK)` on every Linux).
const TICKS: f64 = 100.0;

/// A process by its number.
#[derive(Clone, Copy, Debug)]
pub struct Process(pub u32);

/// A process with what people call it.
#[derive(Clone, Debug)]
pub struct Named {
    /// As in `Kafka`.
    pub name: String,
    /// The process.
    pub process: Process,
}

impl FromStr for Named {
    type Err = String;

    /// Reads `NAME=PID`.
    fn from_str(text: &str) -> Result<Self, String> {
        let named = text.split_once('=').and_then(|(name, pid)| Some(Self { name: name.to_owned(), process: Process(pid.parse().ok()?) }));
        named.ok_or_else(|| format!("{text:?} is no NAME=PID"))
    }
}

/// What a process holds, MiB.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Resident now (`VmRSS`).
    pub resident: u64,
    /// Of that, not pages of files: what the process would still need with every file dropped (`RssAnon`).
    pub anonymous: u64,
    /// The most that was ever resident (`VmHWM`).
    pub peak: u64,
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MiB resident, {} MiB of it anonymous, {} MiB at the peak", self.resident, self.anonymous, self.peak)
    }
}

impl Process {
    /// This process.
    pub fn own() -> Self {
        Self(std::process::id())
    }

    fn read(self, file: &str) -> anyhow::Result<String> {
        fs::read_to_string(format!("/proc/{}/{file}", self.0)).with_context(|| format!("process {} is gone", self.0))
    }

    /// Its memory.
    pub fn memory(self) -> anyhow::Result<Memory> {
        let status = self.read("status")?;
        let mebibytes = |name: &str| {
            let line = status.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'));
            let kibibytes = line.and_then(|l| l.trim().strip_suffix(" kB")?.parse::<u64>().ok());
            kibibytes.map(|k| k >> 10).with_context(|| format!("/proc does not say {name}"))
        };
        Ok(Memory { resident: mebibytes("VmRSS")?, anonymous: mebibytes("RssAnon")?, peak: mebibytes("VmHWM")? })
    }

    /// Processor time of all its threads so far, user and system, s.
    pub fn processor_seconds(self) -> anyhow::Result<f64> {
        let stat = self.read("stat")?;
        // The name in parentheses may hold blanks; of what follows it, utime and stime are the 12th and 13th.
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).context("/proc does not say the processor time");
        Ok((ticks(11)? + ticks(12)?) / TICKS)
    }

    /// Bytes that it had written to disk so far.
    pub fn written_bytes(self) -> anyhow::Result<u64> {
        let io = self.read("io")?;
        io.lines().find_map(|l| l.strip_prefix("write_bytes: ")?.parse().ok()).context("/proc does not say write_bytes")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn this_process_holds_and_uses_something() {
        let memory = Process::own().memory().unwrap();
        assert!(memory.resident > 0 && memory.peak >= memory.resident && memory.anonymous <= memory.resident, "{memory}");
        assert!(Process::own().processor_seconds().unwrap() >= 0.0);
        Process::own().written_bytes().unwrap();
        assert!(Process(u32::MAX).memory().is_err());
    }

    #[test]
    fn a_server_is_named_with_its_process() {
        let named: Named = "Kafka=4711".parse().unwrap();
        assert_eq!((named.name.as_str(), named.process.0), ("Kafka", 4711));
        assert!("Kafka".parse::<Named>().is_err() && "Kafka=x".parse::<Named>().is_err());
    }
}
