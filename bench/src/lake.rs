//! Compaction by itself, of a folder in place of a bucket: its events, and the run that is measured.

mod events;
mod folder;
mod in_order;
mod landing;

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use clap::Args;
use clickstream_compact::{Compact, CompactOptions, CompactRequest};
use clickstream_lake::Lake;
use object_store::local::LocalFileSystem;

use folder::Folder;
use in_order::InOrder;

/// The log that the events are of.
const LOG: &str = "bench";

/// Options of `events`.
#[derive(Debug, Args)]
pub struct Events {
    /// Where to: `raw/` for our objects, `ndjson/` for the same events as zstd NDJSON, `columns.json`.
    #[arg(long)]
    folder: PathBuf,
    /// Events, repeats included.
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
    /// Objects, of four partitions.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u64).range(4..))]
    objects: u64,
    /// Repeats among them, per cent.
    #[arg(long, default_value_t = 2.0)]
    repeats: f64,
    /// Leave out what a site may choose not to have: user agent, address, country, library, language, `sent_at`.
    #[arg(long)]
    lean: bool,
    /// Raw objects alone, no NDJSON.
    #[arg(long)]
    raw_alone: bool,
}

/// Options of `compact-folder`.
#[derive(Debug, Args)]
pub struct Compaction {
    /// What `events` wrote; the table is made in its folder `lake/`.
    #[arg(long)]
    folder: PathBuf,
    /// `COMPACT_MEMORY`, MiB.
    #[arg(long)]
    memory: Option<u64>,
    /// Threads.
    #[arg(long)]
    threads: Option<usize>,
}

/// Makes events, and says as JSON what landing them costs in each format.
pub fn make(options: &Events) -> anyhow::Result<()> {
    let cost = events::write(&options.folder, options)?;
    println!("{}", serde_json::to_string(&cost)?);
    Ok(())
}

/// Compacts the folder, and prints the report.
pub async fn compact(options: &Compaction) -> anyhow::Result<()> {
    let bucket = LocalFileSystem::new_with_prefix(&options.folder).context("the folder")?;
    let lake = Arc::new(Lake::open_on(Arc::new(InOrder(bucket)), LOG).await?);
    let mut settings = CompactOptions::default();
    if let Some(mebibytes) = options.memory {
        settings = settings.with_mebibytes(mebibytes);
    }
    settings.threads = options.threads.unwrap_or(settings.threads);
    let compact = Compact::new(Arc::new(Folder(options.folder.clone())), lake, LOG.to_owned()).with_options(settings);
    let report = compact.run(CompactRequest::default()).await?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}
