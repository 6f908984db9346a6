//! `clickstream-chaos`: runs seeds, and tells of the first that breaks a promise how to run it again.

use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Parser;
use clickstream_chaos::{Options, Outcome, Tally, run};

/// Time between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(5);
/// Turns shown of a seed that failed.
const SHOWN: usize = 40;

/// Runs the functions on ports that fail by a seed, and checks what they promise.
#[derive(Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds.
    #[arg(long, default_value_t = 500)]
    seeds: u64,
    /// Seeds at once.
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, |count| count.get() as u64))]
    threads: u64,
    /// Print every turn of a seed that fails.
    #[arg(long)]
    trace: bool,
}

#[derive(Default)]
struct Sum {
    done: u64,
    turns: u64,
    accepted: u64,
    versions: u64,
    tally: Tally,
    failed: Vec<Outcome>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (next, end) = (AtomicU64::new(arguments.seed), arguments.seed + arguments.seeds);
    let (sum, began) = (Mutex::new(Sum::default()), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.max(1) {
            scope.spawn(|| work(&next, end, &sum));
        }
        scope.spawn(|| tell(&next, arguments.seeds, &sum, began));
    });
    let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    let seconds = began.elapsed().as_secs_f64();
    let Sum { done, turns, accepted, versions, .. } = sum;
    println!(
        "{done} seeds in {seconds:.1} s ({:.1} seeds/s): {turns} turns, {accepted} events accepted, {versions} versions, {} faults",
        done as f64 / seconds,
        sum.tally.injected()
    );
    sum.tally.lines().iter().for_each(|line| println!("  {line}"));
    sum.failed.sort_by_key(|outcome| outcome.seed);
    for outcome in &sum.failed {
        report(outcome, arguments.trace);
    }
    println!("{} of {done} seeds broke a promise", sum.failed.len());
    if sum.failed.is_empty() && done == arguments.seeds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn work(next: &AtomicU64, end: u64, sum: &Mutex<Sum>) {
    loop {
        let seed = next.fetch_add(1, Ordering::SeqCst);
        if seed >= end {
            return;
        }
        let outcome = run(seed, Options::default());
        let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
        sum.done += 1;
        sum.turns += outcome.turns;
        sum.accepted += outcome.accepted as u64;
        sum.versions += outcome.versions;
        sum.tally.add(&outcome.tally);
        if outcome.violation.is_some() {
            sum.failed.push(outcome);
        }
    }
}

fn tell(next: &AtomicU64, seeds: u64, sum: &Mutex<Sum>, began: Instant) {
    let mut told = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(50));
        let (done, failed) = {
            let sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
            (sum.done, sum.failed.len())
        };
        if done >= seeds {
            return;
        }
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            let rate = done as f64 / began.elapsed().as_secs_f64();
            println!("{done} of {seeds} seeds, {rate:.1} a second, {failed} failed, at seed {}", next.load(Ordering::SeqCst));
        }
    }
}

fn report(outcome: &Outcome, whole: bool) {
    let Some(violation) = &outcome.violation else { return };
    println!("\nseed {} {violation}", outcome.seed);
    let from = if whole { 0 } else { outcome.trace.len().saturating_sub(SHOWN) };
    outcome.trace[from..].iter().for_each(|line| println!("  {line}"));
    println!("again: make chaos SEED={} SEEDS=1 TRACE=1", outcome.seed);
}
