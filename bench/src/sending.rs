//! Requests on schedule, or one after the other on every connection.
//!
//! On schedule the time to an answer counts from the moment at which its request was due, so that a service that
//! stalls is charged with every request that it kept from being sent (no "coordinated omission").

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hdrhistogram::Histogram;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{Traffic, batches::Batches, connection::Connection, freshness::Picker};

/// When requests are due.
struct Schedule {
    start: Instant,
    end: Instant,
    /// Time between two requests; none: the next when the last is answered.
    interval: Option<Duration>,
    next: AtomicU64,
}

/// What one connection, or all of them, saw.
pub struct Tally {
    /// Times to the answer, µs.
    pub times: Histogram<u64>,
    /// Requests sent.
    pub requests: u64,
    /// Events kept.
    pub kept: u64,
    /// Events refused.
    pub rejected: u64,
    /// Requests that were not answered as they should be, by what was said.
    pub errors: BTreeMap<String, u64>,
    /// From the first request to the last answer, s.
    pub took: f64,
}

/// Sends `traffic` on connections that `connect` makes; `picker` hears of what is acknowledged.
pub async fn send(
    traffic: &Traffic,
    batches: &Arc<Batches>,
    connect: impl Fn() -> Connection,
    picker: &Arc<Picker>,
) -> anyhow::Result<Tally> {
    let schedule = Arc::new(Schedule::of(traffic));
    let mut workers = JoinSet::new();
    for _ in 0..traffic.connections {
        let (schedule, batches, picker, connection) = (Arc::clone(&schedule), Arc::clone(batches), Arc::clone(picker), connect());
        workers.spawn(async move { work(&schedule, &batches, &picker, connection).await });
    }
    let mut tally = Tally::new()?;
    while let Some(one) = workers.join_next().await {
        tally.add(&one??)?;
    }
    tally.took = schedule.start.elapsed().as_secs_f64();
    for (error, count) in &tally.errors {
        eprintln!("{count} requests failed: {error}");
    }
    Ok(tally)
}

/// Takes whichever request is due next, as long as there is one.
async fn work(schedule: &Schedule, batches: &Batches, picker: &Picker, mut connection: Connection) -> anyhow::Result<Tally> {
    let mut tally = Tally::new()?;
    while let Some((n, due)) = schedule.next() {
        sleep_until(due).await;
        let request = batches.request(n);
        let answer = connection.send(request.body).await;
        tally.times.record(due.elapsed().as_micros() as u64)?;
        tally.requests += 1;
        match answer {
            Ok(fates) => {
                tally.kept += fates.kept;
                tally.rejected += fates.rejected;
                if fates.rejected == 0 {
                    picker.acknowledged(request.first);
                }
            }
            Err(error) => *tally.errors.entry(format!("{error:#}")).or_default() += 1,
        }
    }
    Ok(tally)
}

impl Schedule {
    fn of(traffic: &Traffic) -> Self {
        let start = Instant::now();
        let interval = (traffic.rate > 0).then(|| Duration::from_secs(traffic.batch).div_f64(traffic.rate as f64));
        Self { start, end: start + Duration::from_secs(traffic.seconds), interval, next: AtomicU64::new(0) }
    }

    /// The next request's number and when it is due; none once the time is over.
    fn next(&self) -> Option<(u64, Instant)> {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let due = self.interval.map_or_else(Instant::now, |interval| self.start + interval.mul_f64(n as f64));
        (due < self.end).then_some((n, due))
    }
}

impl Tally {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { times: Histogram::new(3)?, requests: 0, kept: 0, rejected: 0, errors: BTreeMap::new(), took: 0.0 })
    }

    fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.times.add(&other.times)?;
        self.requests += other.requests;
        self.kept += other.kept;
        self.rejected += other.rejected;
        for (error, count) in &other.errors {
            *self.errors.entry(error.clone()).or_default() += count;
        }
        Ok(())
    }

    /// Requests that failed.
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_due_at_even_times_until_the_end() {
        let start = Instant::now();
        let schedule =
            Schedule { start, end: start + Duration::from_millis(7), interval: Some(Duration::from_millis(2)), next: AtomicU64::new(0) };
        let due: Vec<u128> = std::iter::from_fn(|| schedule.next()).map(|(_, due)| (due - start).as_millis()).collect();
        assert_eq!(due, [0, 2, 4, 6]);
    }
}
