//! The load: requests on schedule, or one after the other on every connection.
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
    sync::oneshot,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    Load,
    batches::Batches,
    connection::Connection,
    freshness::{self, Picker},
    process::Process,
    report::{milliseconds, row, thousands},
    service::Service,
    watch,
};

/// When requests are due.
struct Schedule {
    start: Instant,
    end: Instant,
    /// Time between two requests; none: the next when the last is answered.
    interval: Option<Duration>,
    next: AtomicU64,
}

/// What one connection, or all of them, saw.
struct Tally {
    times: Histogram<u64>,
    requests: u64,
    kept: u64,
    rejected: u64,
    errors: BTreeMap<String, u64>,
}

/// Sends as `options` say, then checks what reports count; prints rows.
pub async fn run(options: &Load) -> anyhow::Result<()> {
    let service = Service::at(&options.target.url)?;
    let process = Process(options.target.pid);
    let batches = Arc::new(Batches::of(options.batch));
    let before = service.reported().await?;

    let own = Process::own().processor_seconds()?;
    let (done, over) = oneshot::channel();
    let watching = tokio::spawn(watch::watch(process, over));
    let (picker, picks) = Picker::new();
    let looking = tokio::spawn(freshness::watch(service.clone(), picks));
    let schedule = Arc::new(Schedule::of(options));
    let tally = send(options, &schedule, &batches, picker).await?;
    let took = schedule.start.elapsed().as_secs_f64();
    drop(done);
    let watched = watching.await??;
    let own = Process::own().processor_seconds()? - own;

    let caught_up = service.caught_up().await?;
    let freshness = looking.await??;
    let counted = service.reported().await?.saturating_sub(before);

    tally.print(options, batches.event_bytes(), took);
    if options.watch_every > 0 {
        freshness.print();
    }
    watched.print(tally.kept);
    row("processor time of the load generator", &format!("{own:.0} s ({:.2} cores)", own / took));
    row("all in ClickHouse", &format!("{:.1} s after the last answer", caught_up.as_secs_f64()));
    let same = if counted == tally.kept { "the same" } else { "NOT THE SAME" };
    row("events acknowledged and counted by a report", &format!("{} and {}: {same}", thousands(tally.kept), thousands(counted)));
    row("memory after that report", &process.memory()?.to_string());
    anyhow::ensure!(counted == tally.kept, "{} events were acknowledged, {counted} are counted", tally.kept);
    Ok(())
}

async fn send(options: &Load, schedule: &Arc<Schedule>, batches: &Arc<Batches>, picker: Picker) -> anyhow::Result<Tally> {
    let picker = Arc::new(picker);
    let mut workers = JoinSet::new();
    for _ in 0..options.connections {
        let (schedule, batches, picker) = (Arc::clone(schedule), Arc::clone(batches), Arc::clone(&picker));
        let connection = Connection::to(&options.target.url);
        workers.spawn(async move { work(&schedule, &batches, &picker, connection).await });
    }
    let mut tally = Tally::new()?;
    let all = async {
        while let Some(one) = workers.join_next().await {
            tally.add(&one??)?;
        }
        anyhow::Ok(())
    };
    if options.watch_every > 0 {
        tokio::select! {
            result = all => result?,
            () = picker.tick(Duration::from_millis(options.watch_every)) => {}
        }
    } else {
        all.await?;
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
    fn of(options: &Load) -> Self {
        let start = Instant::now();
        let interval = (options.rate > 0).then(|| Duration::from_secs(options.batch).div_f64(options.rate as f64));
        Self { start, end: start + Duration::from_secs(options.seconds), interval, next: AtomicU64::new(0) }
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
        Ok(Self { times: Histogram::new(3)?, requests: 0, kept: 0, rejected: 0, errors: BTreeMap::new() })
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

    fn print(&self, options: &Load, event_bytes: u64, took: f64) {
        let per_second = |count: u64| thousands((count as f64 / took).round() as u64);
        row("events taken", &format!("**{} a second**, {} in {took:.1} s", per_second(self.kept), thousands(self.kept)));
        let asked =
            if options.rate == 0 { "as fast as they are answered".to_owned() } else { format!("{} asked", thousands(options.rate)) };
        row(
            "requests",
            &format!(
                "{} a second of {} events of {event_bytes} bytes on {} connections, {asked}",
                per_second(self.requests),
                options.batch,
                options.connections
            ),
        );
        let failed: u64 = self.errors.values().sum();
        row("errors", &format!("{failed} requests, {} events rejected", self.rejected));
        for (error, count) in &self.errors {
            eprintln!("{count} requests failed: {error}");
        }
        row("time to the answer", &milliseconds(&self.times, &[0.5, 0.9, 0.99, 0.999]));
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
