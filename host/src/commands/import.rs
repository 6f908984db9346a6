//! `import FILE…`: each file into the inbox, then its receipt.

use std::{path::Path, time::Duration};

use anyhow::{Context, bail};
use futures::StreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Body, StatusCode};
use serde_json::Value;
use tokio_util::io::ReaderStream;

use crate::{cli::Import, client::Service};

/// Longest wait for a receipt without a change, before saying that something is wrong.
const PATIENCE: Duration = Duration::from_mins(30);

/// Imports every file; fails at the end if any could not be taken.
pub async fn run(service: &Service, options: &Import) -> anyhow::Result<()> {
    let mut failed = 0;
    for path in &options.files {
        if let Err(error) = import(service, path, &options.site).await {
            eprintln!("{}: {error:#}", path.display());
            failed += 1;
        }
    }
    if failed > 0 {
        bail!("{failed} of {} files could not be imported", options.files.len());
    }
    Ok(())
}

async fn import(service: &Service, path: &Path, site: &str) -> anyhow::Result<()> {
    let name = path.file_name().and_then(|n| n.to_str()).context("the file has no readable name")?;
    let file = tokio::fs::File::open(path).await.context("cannot open it")?;
    let size = file.metadata().await?.len();
    let bar = ProgressBar::new(size).with_message(name.to_owned());
    bar.set_style(ProgressStyle::with_template("{msg:30} {bar:40} {bytes}/{total_bytes} {bytes_per_sec}")?);
    let sent = bar.clone();
    let chunks = ReaderStream::with_capacity(file, 256 << 10).inspect(move |chunk| {
        if let Ok(chunk) = chunk {
            sent.inc(chunk.len() as u64);
        }
    });
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let request = service.put(&format!("/v1/inbox/{}/{}", encode(site), encode(name))).body(Body::wrap_stream(chunks));
    let put: Value = service.send(request).await?.json().await?;
    bar.finish_and_clear();
    let receipt_key = put["receipt"].as_str().context("the service named no receipt")?;
    let receipt = receipt(service, receipt_key, name).await?;
    let count = |field: &str| receipt[field].as_u64().unwrap_or(0);
    if let Some(error) = receipt["error"]["message"].as_str() {
        bail!("{error}");
    }
    println!(
        "{name}: {} accepted, {} suspicious, {} rejected of {} records",
        count("accepted"),
        count("suspicious"),
        count("rejected"),
        count("lines")
    );
    for rejected in receipt["rejected_lines"].as_array().into_iter().flatten().take(10) {
        let reasons: Vec<_> = rejected["reasons"].as_array().into_iter().flatten().filter_map(|r| r["message"].as_str()).collect();
        println!("  line {}: {}", rejected["line"], reasons.join("; "));
    }
    if count("rejected") > 10 {
        println!("  … the receipt {receipt_key} lists them all");
    }
    Ok(())
}

/// Waits for the receipt, which stands once every record of the file is in the log.
async fn receipt(service: &Service, key: &str, name: &str) -> anyhow::Result<Value> {
    let spinner = ProgressBar::new_spinner().with_message(format!("{name}: validating"));
    spinner.enable_steady_tick(Duration::from_millis(100));
    let encoded: Vec<_> = key.split('/').map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string()).collect();
    let path = format!("/v1/{}", encoded.join("/"));
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        let response = service.get(&path).send().await.context("the service went away; the import goes on when it is back")?;
        match response.status() {
            StatusCode::OK => {
                spinner.finish_and_clear();
                return Ok(response.json().await?);
            }
            StatusCode::NOT_FOUND => tokio::time::sleep(Duration::from_millis(200)).await,
            status => bail!("{status}: {}", response.text().await.unwrap_or_default()),
        }
    }
    bail!("no receipt after {} minutes: `clickstream status` shows whether intake-files is behind", PATIENCE.as_secs() / 60)
}
