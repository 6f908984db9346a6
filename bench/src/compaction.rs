//! How fast what was taken goes into the lake, and from there into ClickHouse's settled tables.

use std::time::Instant;

use anyhow::Context as _;
use serde_json::Value;

use crate::{
    process::Process,
    report::{row, thousands},
    service::Service,
};

/// Compacts, then settles; a row for each.
pub async fn run(service: &Service, process: Process) -> anyhow::Result<()> {
    let before = service.reported().await?;
    timed(service, process, "compact").await?;
    timed(service, process, "settle").await?;
    let after = service.reported().await?;
    let same = if before == after { "the same" } else { "NOT THE SAME" };
    row("events in reports before and after", &format!("{} and {}: {same}", thousands(before), thousands(after)));
    row("memory", &process.memory()?.to_string());
    Ok(())
}

async fn timed(service: &Service, process: Process, function: &str) -> anyhow::Result<()> {
    let (began, before) = (Instant::now(), process.processor_seconds()?);
    let result: Value = service.invoke(function).await?;
    let (wall, processor) = (began.elapsed().as_secs_f64(), process.processor_seconds()? - before);
    let rows = result["rows"].as_u64().with_context(|| format!("{function} says its rows"))?;
    let rate = |seconds: f64| thousands((rows as f64 / seconds) as u64);
    let figure = format!(
        "{} events/s ({} events in {wall:.1} s), {} events per core-second",
        rate(wall),
        thousands(rows),
        rate(processor.max(f64::MIN_POSITIVE))
    );
    row(function, &figure);
    Ok(())
}
