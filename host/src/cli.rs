//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Serverless clickstream analytics: views and clicks, from a page to a report.
#[derive(Debug, Parser)]
#[command(name = "clickstream", version, about, propagate_version = true)]
pub struct Cli {
    /// Where to look for a running service: its data folder.
    #[arg(long, global = true, env = "DATA", default_value = "data", value_name = "DIR")]
    pub data: PathBuf,
    /// Address of a running service, instead of the one that runs on the data folder.
    #[arg(long, global = true, env = "CLICKSTREAM_URL", value_name = "URL")]
    pub url: Option<String>,
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole service in this process.
    Up(Up),
    /// Send believable traffic of several sites to a running service.
    Demo(Demo),
    /// Take events from files: .csv, .ndjson, .json, .parquet, plain or .gz, .zst, .br.
    Import(Import),
    /// Write a site's events as NDJSON or CSV to standard output.
    Export(Export),
    /// Say where an event is.
    Trace(Trace),
    /// Print a report.
    Report(Report),
    /// Print the lag of every step.
    Status(Output),
    /// Print what each step has of every record, and whether it all adds up.
    Ledger(Ledger),
    /// Compare every store with every other, and mend what is missing; it runs every 10 minutes by itself.
    Reconcile(Reconcile),
    /// Make ClickHouse and the event store anew, out of the lake.
    Rebuild(Rebuild),
    /// Remove what is old and needed no more from every store, each by its own rule; it runs every hour by itself.
    Retention(Retention),
    /// Succeed if a running service takes requests: a health check.
    Ready,
    /// Forget a person everywhere and print the signed receipt, or verify one.
    Erase(Erase),
    /// Play rejected records, records of the log or raw objects again, or compute days anew.
    Replay(Replay),
    /// Print the configuration that `up` would run with, and where each value comes from.
    Config(Up),
    /// Make topics, keyspace, bucket and tables on the servers that the environment names.
    Setup(Setup),
    /// Check every server that the environment names, and say how to mend what is wrong.
    Doctor(Doctor),
    /// Serve ClickHouse (libchdb) on the data folder to services that share it by `WAREHOUSE_URL`.
    Clickhouse(Clickhouse),
    /// Print the description of the HTTP API as JSON.
    Openapi,
}

/// Options of `up`.
#[derive(Clone, Debug, Args)]
pub struct Up {
    /// Address to listen on; port 0 takes any free one.
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDR")]
    pub listen: SocketAddr,
}

/// Options of `clickhouse`.
#[derive(Debug, Args)]
pub struct Clickhouse {
    /// Address to listen on; port 0 takes any free one. Nothing is encrypted: a network in between must be trusted.
    #[arg(long, default_value = "127.0.0.1:8123", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Password of the user `default`, 16 characters or more.
    #[arg(long, env = "CLICKHOUSE_PASSWORD", hide_env_values = true, value_name = "TEXT", value_parser = password)]
    pub password: String,
}

fn password(text: &str) -> Result<String, &'static str> {
    if text.len() >= 16 { Ok(text.to_owned()) } else { Err("a password has 16 characters or more") }
}

/// Options of `setup`.
#[derive(Debug, Args)]
pub struct Setup {
    /// Begin a new log: after the topics were lost or the cluster was replaced.
    #[arg(long)]
    pub new_log: bool,
}

/// Options of `doctor`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Doctor {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Events per second; 0 sends as fast as the service takes them.
    #[arg(long, default_value_t = 50)]
    pub rate: u32,
    /// Events in all; none goes on until interrupted.
    #[arg(long)]
    pub count: Option<u64>,
    /// The same seed makes the same visitors.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Spread the events over this many days up to now instead of sending them as of now.
    #[arg(long, default_value_t = 0, value_name = "DAYS")]
    pub days: u32,
}

/// Options of `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The site they belong to.
    #[arg(long, default_value = "demo")]
    pub site: String,
}

/// A site and a span of days.
#[derive(Clone, Debug, Args)]
pub struct Span {
    /// The site.
    #[arg(long, default_value = "demo")]
    pub site: String,
    /// First day, UTC (YYYY-MM-DD); today if not given.
    #[arg(long, value_name = "DAY")]
    pub from: Option<jiff::civil::Date>,
    /// Last day, UTC, inclusive; today if not given.
    #[arg(long, value_name = "DAY")]
    pub to: Option<jiff::civil::Date>,
}

impl Span {
    /// The span with today in place of what was not given.
    pub fn days(&self) -> (jiff::civil::Date, jiff::civil::Date) {
        let today = jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::now()).date();
        let to = self.to.unwrap_or(today);
        (self.from.unwrap_or(to), to)
    }
}

/// Options of `erase`.
#[derive(Debug, Args)]
pub struct Erase {
    /// The site.
    #[arg(long, default_value = "demo")]
    pub site: String,
    /// The person's user id; anonymous ids that are theirs alone are erased too.
    #[arg(long, conflicts_with = "anonymous", value_name = "ID")]
    pub user: Option<String>,
    /// The anonymous id.
    #[arg(long, value_name = "ID")]
    pub anonymous: Option<String>,
    /// Only say whether a receipt is as it was signed.
    #[arg(long, conflicts_with_all = ["user", "anonymous"], value_name = "RECEIPT")]
    pub verify: Option<PathBuf>,
}

/// Options of `export`.
#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    pub span: Span,
    /// Everything that is held of this user instead, rejected records too; days do not matter.
    #[arg(long, value_name = "ID")]
    pub user: Option<String>,
    /// The same of an anonymous id.
    #[arg(long, conflicts_with = "user", value_name = "ID")]
    pub anonymous: Option<String>,
    /// Format of the rows.
    #[arg(long, value_enum, default_value_t = ExportFormat::Ndjson)]
    pub format: ExportFormat,
}

/// Formats of `export`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// One JSON object a line.
    Ndjson,
    /// Comma-separated with a header.
    Csv,
}

/// Options of `trace`.
#[derive(Debug, Args)]
pub struct Trace {
    /// The event's id.
    pub event_id: String,
    /// The site, where the same id was used on several.
    #[arg(long)]
    pub site: Option<String>,
    /// Print the answer as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Reports that the service knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportName {
    /// Views, clicks, click-through rate of elements.
    Elements,
    /// Page views, with rank.
    Pages,
    /// Count and durations of sessions.
    Sessions,
    /// Device types, systems, browsers.
    Devices,
    /// Daily, weekly, monthly active users.
    Activity,
    /// Where pages are clicked.
    Heatmap,
}

/// Options of `report`.
#[derive(Debug, Args)]
pub struct Report {
    /// Which report.
    #[arg(value_enum)]
    pub name: ReportName,
    #[command(flatten)]
    pub span: Span,
    #[command(flatten)]
    pub output: Output,
}

/// How a command prints.
#[derive(Clone, Copy, Debug, Args)]
pub struct Output {
    /// Print JSON.
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print CSV.
    #[arg(long)]
    pub csv: bool,
}

/// What `replay` plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReplaySource {
    /// Rejected records, through today's validation.
    Rejected,
    /// Records of topic events, through the log once more.
    Topic,
    /// Raw objects, into ClickHouse.
    Raw,
    /// Days of the lake: what is derived of each event, by the rules of this version.
    Days,
}

/// Options of `replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// What to play.
    #[arg(value_enum)]
    pub source: ReplaySource,
    /// Only this site.
    #[arg(long)]
    pub site: Option<String>,
    /// Only events of this action: view, click, page, identify, custom.
    #[arg(long)]
    pub action: Option<String>,
    /// Only records received then or later, such as 2026-11-24T10:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub received_from: Option<String>,
    /// Only records received before then.
    #[arg(long, value_name = "TIME")]
    pub received_to: Option<String>,
    /// Only this partition, of a topic or of raw objects.
    #[arg(long)]
    pub partition: Option<u32>,
    /// First offset.
    #[arg(long)]
    pub from: Option<u64>,
    /// Offset to stop before.
    #[arg(long)]
    pub to: Option<u64>,
    /// The first day (UTC, by the client's timestamp), such as 2026-11-24.
    #[arg(long, value_name = "DAY", required_if_eq("source", "days"))]
    pub from_day: Option<jiff::civil::Date>,
    /// The last day; the first one if none is named.
    #[arg(long, value_name = "DAY")]
    pub to_day: Option<jiff::civil::Date>,
    /// Take device, system and browser as the user agent tells them, also where an event may have declared others.
    #[arg(long)]
    pub user_agent_rules: bool,
    /// Only say what would change.
    #[arg(long)]
    pub dry_run: bool,
    /// Print the whole report as JSON; for all but days it always is.
    #[arg(long)]
    pub json: bool,
}

/// Options of `ledger`.
#[derive(Debug, Args)]
pub struct Ledger {
    /// Print how far each step came within each of the last hours instead of what it has of each partition.
    #[arg(long, value_name = "N")]
    pub hours: Option<u32>,
    #[command(flatten)]
    pub output: Output,
}

/// Options of `reconcile`.
#[derive(Debug, Args)]
pub struct Reconcile {
    /// Only say what would be repaired.
    #[arg(long)]
    pub dry_run: bool,
    /// Accept that these offsets are lost for ever, so that compaction goes on; TO is not included.
    #[arg(long, value_name = "PARTITION:FROM-TO")]
    pub accept_gap: Option<String>,
}

/// Options of `retention`.
#[derive(Debug, Args)]
pub struct Retention {
    /// Only say what would go.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub output: Output,
}

/// What `rebuild` builds from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RebuildFrom {
    /// The Delta table in the bucket.
    Lake,
}

/// What `rebuild` builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RebuildPart {
    /// ClickHouse.
    Warehouse,
    /// The event store.
    Store,
}

/// Options of `rebuild`.
#[derive(Debug, Args)]
pub struct Rebuild {
    /// Out of what.
    #[arg(long, value_enum)]
    pub from: RebuildFrom,
    /// Only this; both without it.
    #[arg(long, value_enum)]
    pub only: Option<RebuildPart>,
}
