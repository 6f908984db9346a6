//! `clickstream-bench`: measures a running service and prints rows of a Markdown table; progress goes to stderr.

mod backlog;
mod batches;
mod collector;
mod compaction;
mod connection;
mod freshness;
mod lake;
mod load;
mod process;
mod report;
mod sending;
mod service;
mod steps;
mod watch;

use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use process::{Named, Process};
use service::Service;

/// As in `clickstream`: compaction is measured with the memory allocator that it has there.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// jemalloc's options, as in `clickstream`.
#[expect(unsafe_code, reason = "jemalloc reads a symbol of this name")]
// SAFETY: of the type and the name that jemalloc declares.
#[unsafe(export_name = "_rjem_malloc_conf")]
static OPTIONS: Option<&'static std::ffi::c_char> =
    Some(unsafe { &*c"narenas:2,background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0".as_ptr() });

/// Measures a running service; prints rows of a Markdown table.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send events, at a constant rate or as fast as they are taken.
    Load(Load),
    /// Send events to any collector that writes to Kafka, and look for them there; one row of a table of several.
    Collector(Collector),
    /// Wait until what waits is worked off, and say how fast that was.
    Drain(Backlog),
    /// Compact and settle what was taken, and time it.
    Compact(Target),
    /// Make events as raw objects and as zstd NDJSON, in a folder.
    Events(lake::Events),
    /// Compact such a folder in this process.
    CompactFolder(lake::Compaction),
    /// Say how much an idle service holds.
    Idle(Target),
}

/// The service to measure.
#[derive(Clone, Debug, Args)]
struct Target {
    /// Where it listens.
    #[arg(long)]
    url: String,
    /// Its process, whose memory and processor time are read from /proc.
    #[arg(long)]
    pid: u32,
}

/// What to send.
#[derive(Clone, Debug, Args)]
struct Traffic {
    /// Events per second, sent on schedule whatever the answers do; 0 sends the next when the last is answered.
    #[arg(long, default_value_t = 10_000)]
    rate: u64,
    /// Events in a request.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=500))]
    batch: u64,
    /// How long.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Connections that are kept open; no more requests than that are under way at once.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
}

/// Options of `load`.
#[derive(Debug, Args)]
struct Load {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    traffic: Traffic,
    /// Time between two events that are watched until reports show them, ms; 0 watches none. Looking for one costs the
    /// service some 0.1 s of processor time.
    #[arg(long, default_value_t = 2_000)]
    watch_every: u64,
    /// Rows of the steps too: the most that waited while events came, looked for every second, and how fast each worked
    /// off what waited then.
    #[arg(long)]
    steps: bool,
    /// A server that the service uses, with its process; may be repeated.
    #[arg(long = "server", value_name = "NAME=PID")]
    servers: Vec<Named>,
}

/// Options of `drain`.
#[derive(Debug, Args)]
struct Backlog {
    #[command(flatten)]
    target: Target,
    /// A server that the service uses, with its process; may be repeated.
    #[arg(long = "server", value_name = "NAME=PID")]
    servers: Vec<Named>,
}

/// Options of `collector`.
#[derive(Debug, Args)]
struct Collector {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    traffic: Traffic,
    /// What the row is called.
    #[arg(long)]
    name: String,
    /// Where it takes a request; status 200 says that it has all events of it.
    #[arg(long)]
    path: String,
    /// Its Kafka, as `LOG_URL` says it.
    #[arg(long, value_name = "URL")]
    log: String,
    /// Its topic, which is made if it is missing, and holds one record an event.
    #[arg(long)]
    topic: String,
    /// Partitions of the topic.
    #[arg(long, default_value_t = 4)]
    partitions: u32,
    /// The broker's process.
    #[arg(long, value_name = "PID")]
    broker: u32,
}

/// One thread: a generator on the machine that it measures should know what it costs.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Load(options) => load::run(&options).await,
        Command::Collector(options) => collector::run(&options).await,
        Command::Drain(options) => backlog::run(&options).await,
        Command::Compact(target) => compaction::run(&Service::at(&target.url)?, Process(target.pid)).await,
        Command::Events(options) => lake::make(&options),
        Command::CompactFolder(options) => lake::compact(&options).await,
        Command::Idle(target) => {
            // What the start itself took is given back within this time.
            tokio::time::sleep(Duration::from_secs(10)).await;
            report::row("memory, idle", &Process(target.pid).memory()?.to_string());
            Ok(())
        }
    }
}
